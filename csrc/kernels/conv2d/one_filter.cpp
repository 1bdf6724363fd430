#include "kernels/conv2d/one_filter.hpp"

#include <algorithm>

#include "core/blocks.hpp"
#include "core/scratch.hpp"
#include "kernels/conv2d/depthwise_pass.hpp"
#include "kernels/gemm/column_sums.hpp"
#include "kernels/simd_loops/simd_loops.hpp"

//   y[oy, ox]   = sum over channels c of the depthwise convolution of x with w, at (oy, ox, c)
//   dw[cell, c] = the same gradient as a depthwise convolution's whose dy is equal in all channels

namespace minicnn {
namespace {

constexpr std::int64_t kMinOneFilterChannels = 8;
constexpr std::int64_t kLanes = 16;

// The depthwise convolution: its filter has as many values per cell as x has channels.
Conv2D by_channel(Conv2D conv) {
  conv.groups = conv.filters = conv.x.c;
  return conv;
}

// A row of output pixels with one value per channel, (OW, C), for each worker.
float* channel_rows(const Conv2D& conv, ScratchAllocator& allocator) {
  return allocator.allocate<float>(max_workers() * conv.ow() * conv.x.c);
}

// The sum of the channels in 16 parts, which are added in pairs.
float sum_of_channels(const float* x, std::int64_t channels) {
  float parts[kLanes] = {};
  std::int64_t c = 0;
  for (; c + kLanes <= channels; c += kLanes) {
    for (std::int64_t lane = 0; lane < kLanes; ++lane) parts[lane] += x[c + lane];
  }
  for (std::int64_t lane = 0; c < channels; ++c, ++lane) parts[lane] += x[c];
  for (std::int64_t half = kLanes / 2; half > 0; half /= 2) {
    for (std::int64_t lane = 0; lane < half; ++lane) parts[lane] += parts[lane + half];
  }
  return parts[0];
}

}  // namespace

bool has_one_filter(const Conv2D& conv) {
  return conv.filters == 1 && conv.x.c >= kMinOneFilterChannels &&
         conv.window.kh * conv.window.kw <= kMaxCells;
}

void one_filter_forward(const Conv2D& conv, const float* x, const float* w, const float* b,
                        bool relu, float* y, char* scratch) noexcept {
  ScratchAllocator allocator(scratch);
  const DepthwisePass pass(by_channel(conv), true, allocator);
  float* rows = channel_rows(conv, allocator);
  const float bias = b == nullptr ? 0.0F : *b;
  const std::int64_t c = conv.x.c;
  parallel_rows(pass.rows(), pass.row_size(), [&](std::int64_t row, int worker) {
    float* products = rows + worker * pass.row_size();
    pass.for_spans(row, [&](const TapSpan& span, std::int64_t offset) {
      simd_loops().multiply_taps(span, x, w, nullptr, products + offset);
    });
    for (std::int64_t pixel = 0; pixel < pass.pixels(); ++pixel) {
      const float sum = sum_of_channels(products + pixel * c, c) + bias;
      y[row * pass.pixels() + pixel] = relu && sum <= 0.0F ? 0.0F : sum;
    }
  });
}

std::size_t one_filter_forward_scratch(const Conv2D& conv) {
  ScratchAllocator counter(nullptr);
  DepthwisePass(by_channel(conv), true, counter);
  channel_rows(conv, counter);
  return counter.bytes();
}

void one_filter_backward_weights(const Conv2D& conv, const float* dy, const float* x, float* dw,
                                 float* db, char* scratch) noexcept {
  if (db != nullptr) column_sums(dy, conv.y().size(), 1, db, scratch);
  ScratchAllocator allocator(scratch);
  const Conv2D wide = by_channel(conv);
  const DepthwisePass pass(wide, true, allocator);
  float* rows = channel_rows(conv, allocator);
  const TapProducts products(wide, pass, allocator);
  const auto repeated = [&](std::int64_t row, int worker) -> const float* {
    float* to = rows + worker * pass.row_size();
    for (std::int64_t pixel = 0; pixel < pass.pixels(); ++pixel) {
      std::fill_n(to + pixel * conv.x.c, conv.x.c, dy[row * pass.pixels() + pixel]);
    }
    return to;
  };
  products.sum(x, repeated, dw);
}

std::size_t one_filter_backward_weights_scratch(const Conv2D& conv) {
  ScratchAllocator counter(nullptr);
  const DepthwisePass pass(by_channel(conv), true, counter);
  channel_rows(conv, counter);
  TapProducts(by_channel(conv), pass, counter);
  return std::max(counter.bytes(), column_sums_scratch(conv.y().size(), 1));
}

}  // namespace minicnn
