#include "kernels/conv2d/depthwise.hpp"

#include <algorithm>

#include "core/blocks.hpp"
#include "core/scratch.hpp"
#include "kernels/gemm/column_sums.hpp"
#include "kernels/simd_loops/simd_loops.hpp"

//   y[oy, ox]  = sum over cells of  x[the input of (oy, ox) at the cell] w[cell]
//   dx[iy, ix] = sum over cells of dy[the output that reads (iy, ix) through the cell] w[cell]
//   dw[cell]   = sum over (oy, ox) of x[the input of (oy, ox) at the cell] dy[oy, ox]
//
// for each filter separately. For both axes, an Axis says which cells a position has. Neighboring
// positions with the same cells form a span: what they read is equally spaced.
//
// If there are several filters per channel, the channels of x are first repeated for their filters,
// and dx is the sum over the filters of a channel.

namespace minicnn {
namespace {

constexpr std::int64_t kMaxCells = 256;
constexpr std::int64_t kMaxChunks = 64;
constexpr std::int64_t kFloatPixels = 128;  // summed in float32; their sums are added in float64

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

DepthwisePass::DepthwisePass(const Conv2D& conv, bool forward, ScratchAllocator& allocator)
    : shape_(forward ? conv.y() : conv.x), read_(forward ? conv.x : conv.y()) {
  const Window2D& win = conv.window;
  vertical_ = {shape_.h, win.kh, win.sy, win.dy, win.top, read_.h, forward};
  horizontal_ = {shape_.w, win.kw, win.sx, win.dx, win.left, read_.w, forward};
  spans_ = allocator.allocate<PositionSpan>(shape_.w);
  if (spans_ == nullptr) return;
  const std::int64_t step = horizontal_.step();
  for (std::int64_t start = 0; start < std::min(step, shape_.w); ++start) {
    for (std::int64_t at = start; at < shape_.w;) {
      PositionSpan span{at, 0};
      for (; at < shape_.w && horizontal_.same_cells(span.first, at); at += step) ++span.count;
      spans_[span_count_++] = span;
    }
  }
}

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

std::int64_t multiplier(const Conv2D& conv) { return conv.filters / conv.x.c; }

// Returns the same convolution with one channel per filter.
Conv2D widened(Conv2D conv) {
  conv.x.c = conv.groups = conv.filters;
  return conv;
}

// Returns x with each channel repeated for its filters, or x itself if there is one filter per
// channel.
const float* repeated(const Conv2D& conv, const float* x, ScratchAllocator& allocator) {
  const std::int64_t times = multiplier(conv), c = conv.x.c;
  if (times == 1) return x;
  float* wide = allocator.allocate<float>(conv.x.size() * times);
  if (wide == nullptr) return nullptr;
  parallel_rows(conv.x.size() / c, c * times, [=](std::int64_t row, int) {
    for (std::int64_t i = 0; i < c; ++i) {
      std::fill_n(wide + (row * c + i) * times, times, x[row * c + i]);
    }
  });
  return wide;
}

void fold(const Conv2D& conv, const float* wide, float* dx) {
  const std::int64_t times = multiplier(conv), c = conv.x.c;
  parallel_rows(conv.x.size() / c, c * times, [=](std::int64_t row, int) {
    for (std::int64_t i = row * c; i < (row + 1) * c; ++i) {
      float sum = 0;
      for (std::int64_t j = 0; j < times; ++j) sum += wide[i * times + j];
      dx[i] = sum;
    }
  });
}

void run_rows(const DepthwisePass& pass, const float* read, const float* w, const float* bias,
              float* out) {
  const SimdLoops& simd = simd_loops();
  parallel_rows(pass.rows(), pass.row_size(), [&](std::int64_t row, int) {
    float* to = out + row * pass.row_size();
    pass.for_spans(row, [&](const TapSpan& span, std::int64_t offset) {
      simd.multiply_taps(span, read, w, bias, to + offset);
    });
  });
}

std::int64_t rows_of_block(const DepthwisePass& pass) {
  return std::max<std::int64_t>(1, kFloatPixels / pass.pixels());
}

// The partial sums of dw over chunks of output rows, (chunks, KH, KW, filters).
struct WeightChunks {
  WeightChunks(const Conv2D& conv, const DepthwisePass& pass, ScratchAllocator& allocator)
      : count(std::clamp<std::int64_t>(pass.rows() / rows_of_block(pass), 1, kMaxChunks)),
        size(conv.weights()),
        totals(allocator.allocate<double>(count * size)),
        blocks(allocator.allocate<float>(max_workers() * size)) {}

  std::int64_t count, size;
  double* totals;
  float* blocks;  // (workers, KH, KW, filters)
};

void sum_chunk(const DepthwisePass& pass, const float* dy, const float* x, std::int64_t begin,
               std::int64_t end, float* block, const WeightChunks& chunks, double* total) {
  const std::int64_t step = rows_of_block(pass);
  std::fill_n(total, chunks.size, 0.0);
  for (std::int64_t first = begin; first < end; first += step) {
    std::fill_n(block, chunks.size, 0.0F);
    for (std::int64_t row = first; row < std::min(end, first + step); ++row) {
      pass.for_spans(row, [&](const TapSpan& span, std::int64_t offset) {
        simd_loops().add_tap_products(span, x, dy + row * pass.row_size() + offset, block);
      });
    }
    for (std::int64_t i = 0; i < chunks.size; ++i) total[i] += double(block[i]);
  }
}

}  // namespace

bool is_depthwise(const Conv2D& conv) {
  return conv.groups > 1 && conv.groups == conv.x.c && conv.window.kh * conv.window.kw <= kMaxCells;
}

void depthwise_forward(const Conv2D& conv, const float* x, const float* w, const float* b, float* y,
                       char* scratch) noexcept {
  ScratchAllocator allocator(scratch);
  const float* wide = repeated(conv, x, allocator);
  run_rows(DepthwisePass(widened(conv), true, allocator), wide, w, b, y);
}

std::size_t depthwise_forward_scratch(const Conv2D& conv) {
  ScratchAllocator counter(nullptr);
  repeated(conv, nullptr, counter);
  DepthwisePass(widened(conv), true, counter);
  return counter.bytes();
}

void depthwise_backward_input(const Conv2D& conv, const float* dy, const float* w, float* dx,
                              char* scratch) noexcept {
  ScratchAllocator allocator(scratch);
  const DepthwisePass pass(widened(conv), false, allocator);
  if (multiplier(conv) == 1) {
    run_rows(pass, dy, w, nullptr, dx);
    return;
  }
  float* wide = allocator.allocate<float>(conv.x.size() * multiplier(conv));
  run_rows(pass, dy, w, nullptr, wide);
  fold(conv, wide, dx);
}

std::size_t depthwise_backward_input_scratch(const Conv2D& conv) {
  ScratchAllocator counter(nullptr);
  DepthwisePass(widened(conv), false, counter);
  counter.allocate<float>(multiplier(conv) == 1 ? 0 : conv.x.size() * multiplier(conv));
  return counter.bytes();
}

void depthwise_backward_weights(const Conv2D& conv, const float* dy, const float* x, float* dw,
                                float* db, char* scratch) noexcept {
  if (db != nullptr) column_sums(dy, conv.y().size() / conv.filters, conv.filters, db, scratch);
  ScratchAllocator allocator(scratch);
  const float* wide = repeated(conv, x, allocator);
  const DepthwisePass pass(widened(conv), true, allocator);
  const WeightChunks chunks(conv, pass, allocator);
  const std::int64_t rows = pass.rows(), size = chunks.size;
  parallel_for(chunks.count, [&](std::int64_t chunk, int worker) {
    sum_chunk(pass, dy, wide, rows * chunk / chunks.count, rows * (chunk + 1) / chunks.count,
              chunks.blocks + worker * size, chunks, chunks.totals + chunk * size);
  });
  parallel_rows(size, chunks.count, [&](std::int64_t i, int) {
    double sum = 0;
    for (std::int64_t chunk = 0; chunk < chunks.count; ++chunk) {
      sum += chunks.totals[chunk * size + i];
    }
    dw[i] = float(sum);
  });
}

std::size_t depthwise_backward_weights_scratch(const Conv2D& conv) {
  ScratchAllocator counter(nullptr);
  repeated(conv, nullptr, counter);
  const DepthwisePass pass(widened(conv), true, counter);
  WeightChunks(conv, pass, counter);
  const std::int64_t pixels = conv.y().size() / conv.filters;
  return std::max(counter.bytes(), column_sums_scratch(pixels, conv.filters));
}

}  // namespace minicnn
