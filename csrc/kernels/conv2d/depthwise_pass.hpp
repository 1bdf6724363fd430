#pragma once

#include <algorithm>
#include <cstdint>

#include "core/blocks.hpp"
#include "core/scratch.hpp"
#include "kernels/conv2d/geometry.hpp"
#include "kernels/simd_loops/simd_loops.hpp"

namespace minicnn {

// For both axes, an Axis says which cells of the kernel a position has. Neighboring positions with
// the same cells form a span: what they read is equally spaced.

constexpr std::int64_t kMaxCells = 256;

// One axis of the forward pass, where outputs read inputs, or of the backward pass, where inputs
// read outputs.
struct Axis {
  std::int64_t positions, k, stride, dilation, pad,
      other;  // other: positions of the array that is read
  bool forward;

  std::int64_t step() const { return forward ? 1 : stride; }  // between the positions of a span
  std::int64_t other_step() const { return forward ? stride : 1; }  // between what they read

  // Returns what `position` reads through a cell, or -1.
  std::int64_t read(std::int64_t position, std::int64_t cell) const {
    std::int64_t at = position * stride - pad + cell * dilation;
    if (!forward) {
      at = position + pad - cell * dilation;
      if (at < 0 || at % stride != 0) return -1;
      at /= stride;
    }
    return at >= 0 && at < other ? at : -1;
  }

  bool same_cells(std::int64_t a, std::int64_t b) const {
    for (std::int64_t cell = 0; cell < k; ++cell) {
      if ((read(a, cell) < 0) != (read(b, cell) < 0)) return false;
    }
    return true;
  }
};

// The positions first, first + step, ...: neighbors that have the same cells.
struct PositionSpan {
  std::int64_t first, count;
};

// A depthwise convolution with one filter per channel, forward or backward.
class DepthwisePass {
 public:
  DepthwisePass(const Conv2D& conv, bool forward, ScratchAllocator& allocator);

  std::int64_t rows() const { return shape_.n * shape_.h; }
  std::int64_t pixels() const { return shape_.w; }  // per row
  std::int64_t row_size() const { return shape_.w * shape_.c; }
  // Calls visit(span, offset) for the spans of row `row`; offset is that of the span's first pixel
  // in the row.
  template <class Visit>
  void for_spans(std::int64_t row, Visit visit) const;

 private:
  Shape4 shape_, read_;  // of the array with the positions, and of the array that is read
  Axis vertical_, horizontal_;
  std::int64_t span_count_ = 0;
  PositionSpan* spans_;  // (positions,) at most
};

template <class Visit>
void DepthwisePass::for_spans(std::int64_t row, Visit visit) const {
  const std::int64_t c = shape_.c, n = row / shape_.h, y = row % shape_.h;
  Tap taps[kMaxCells];
  for (const PositionSpan* span = spans_; span != spans_ + span_count_; ++span) {
    std::int64_t count = 0;
    for (std::int64_t ky = 0; ky < vertical_.k; ++ky) {
      const std::int64_t from_row = vertical_.read(y, ky);
      for (std::int64_t kx = 0; from_row >= 0 && kx < horizontal_.k; ++kx) {
        const std::int64_t from = horizontal_.read(span->first, kx);
        if (from < 0) continue;
        taps[count++] = {((n * read_.h + from_row) * read_.w + from) * c,
                         (ky * horizontal_.k + kx) * c};
      }
    }
    visit(
        TapSpan{span->count, horizontal_.other_step() * c, horizontal_.step() * c, c, taps, count},
        span->first * c);
  }
}

// The sums over all output pixels of what the taps of x and a gradient with one value per channel
// multiply to: dw (KH, KW, C). Rows are summed in blocks and chunks that depend on shapes alone.
class TapProducts {
 public:
  TapProducts(const Conv2D& conv, const DepthwisePass& pass, ScratchAllocator& allocator);

  // Writes dw. row_of(row, worker) returns dy (OW, C) of an output row.
  template <class RowOf>
  void sum(const float* x, RowOf row_of, float* dw) const;

 private:
  std::int64_t rows_of_block() const {
    return std::max<std::int64_t>(1, kFloatPixels / pass_.pixels());
  }
  template <class RowOf>
  void sum_chunk(std::int64_t chunk, int worker, const float* x, RowOf row_of) const;
  void add_chunks(float* dw) const;

  static constexpr std::int64_t kMaxChunks = 64;
  static constexpr std::int64_t kFloatPixels = 128;  // summed in float32; their sums in float64

  const DepthwisePass& pass_;
  std::int64_t size_, chunks_;
  double* totals_;  // (chunks, KH, KW, C)
  float* blocks_;   // (workers, KH, KW, C)
};

template <class RowOf>
void TapProducts::sum_chunk(std::int64_t chunk, int worker, const float* x, RowOf row_of) const {
  const std::int64_t rows = pass_.rows(), step = rows_of_block();
  const std::int64_t begin = rows * chunk / chunks_, end = rows * (chunk + 1) / chunks_;
  double* total = totals_ + chunk * size_;
  float* block = blocks_ + worker * size_;
  std::fill_n(total, size_, 0.0);
  for (std::int64_t first = begin; first < end; first += step) {
    std::fill_n(block, size_, 0.0F);
    for (std::int64_t row = first; row < std::min(end, first + step); ++row) {
      const float* dy = row_of(row, worker);
      pass_.for_spans(row, [&](const TapSpan& span, std::int64_t offset) {
        simd_loops().add_tap_products(span, x, dy + offset, block);
      });
    }
    for (std::int64_t i = 0; i < size_; ++i) total[i] += double(block[i]);
  }
}

template <class RowOf>
void TapProducts::sum(const float* x, RowOf row_of, float* dw) const {
  parallel_for(chunks_,
               [&](std::int64_t chunk, int worker) { sum_chunk(chunk, worker, x, row_of); });
  add_chunks(dw);
}

}  // namespace minicnn
