#include "kernels/conv2d/depthwise.hpp"

#include <algorithm>

#include "core/blocks.hpp"
#include "core/scratch.hpp"
#include "kernels/conv2d/depthwise_pass.hpp"
#include "kernels/gemm/column_sums.hpp"
#include "kernels/simd_loops/simd_loops.hpp"

//   y[oy, ox]  = sum over cells of  x[the input of (oy, ox) at the cell] w[cell]
//   dx[iy, ix] = sum over cells of dy[the output that reads (iy, ix) through the cell] w[cell]
//   dw[cell]   = sum over (oy, ox) of x[the input of (oy, ox) at the cell] dy[oy, ox]
//
// for each filter separately. If there are several filters per channel, the channels of x are first
// repeated for their filters, and dx is the sum over the filters of a channel.

namespace minicnn {
namespace {

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
  const TapProducts products(conv, pass, allocator);
  const auto row_of = [&](std::int64_t row, int) { return dy + row * pass.row_size(); };
  products.sum(wide, row_of, dw);
}

std::size_t depthwise_backward_weights_scratch(const Conv2D& conv) {
  ScratchAllocator counter(nullptr);
  repeated(conv, nullptr, counter);
  const DepthwisePass pass(widened(conv), true, counter);
  TapProducts(conv, pass, counter);
  const std::int64_t pixels = conv.y().size() / conv.filters;
  return std::max(counter.bytes(), column_sums_scratch(pixels, conv.filters));
}

}  // namespace minicnn
