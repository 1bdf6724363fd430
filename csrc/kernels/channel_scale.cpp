#include "kernels/channel_scale.hpp"

#include <algorithm>

#include "core/blocks.hpp"
#include "core/scratch.hpp"
#include "kernels/sum_rows.hpp"

namespace minicnn {
namespace {

std::int64_t pieces_per_image(const ChannelScale& shape) {
  return ceil_div(shape.pixels, rows_of_piece(shape.channels));
}

// Writes dx, which may be dy, for neighboring pixels of an image, and the sums of dy * x over them.
void scale_piece(const float* dy, const float* x, const float* s, std::int64_t pixels,
                 std::int64_t channels, float* dx, double* sums) {
  std::fill_n(sums, channels, 0.0);
  for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const float gradient = dy[c];
      dx[c] = gradient * s[c];
      sums[c] += double(gradient * x[c]);
    }
    dy += channels, x += channels, dx += channels;
  }
}

}  // namespace

void scale_channels_forward(const ChannelScale& shape, const float* x, const float* s,
                            float* y) noexcept {
  const auto [images, pixels, channels] = shape;
  parallel_rows(images * pixels, channels, [=](std::int64_t row, int) {
    const float* factors = s + row / pixels * channels;
    for (std::int64_t c = 0; c < channels; ++c) {
      y[row * channels + c] = x[row * channels + c] * factors[c];
    }
  });
}

void scale_channels_backward(const ChannelScale& shape, const float* dy, const float* x,
                             const float* s, float* dx, float* ds, char* scratch) noexcept {
  const auto [images, pixels, channels] = shape;
  const std::int64_t piece = rows_of_piece(channels), pieces = pieces_per_image(shape);
  auto* sums = ScratchAllocator(scratch).allocate<double>(images * pieces * channels);
  parallel_for(images * pieces, [=, pixels = pixels, channels = channels](std::int64_t i, int) {
    const std::int64_t image = i / pieces, first = i % pieces * piece;
    const std::int64_t at = (image * pixels + first) * channels;
    scale_piece(dy + at, x + at, s + image * channels, std::min(piece, pixels - first), channels,
                dx + at, sums + i * channels);
  });
  // Without pixels the sums are 0, but must be written.
  parallel_rows(images, (pieces + 1) * channels, [=, channels = channels](std::int64_t image, int) {
    for (std::int64_t c = 0; c < channels; ++c) {
      double sum = 0.0;
      for (std::int64_t i = image * pieces; i < (image + 1) * pieces; ++i) {
        sum += sums[i * channels + c];
      }
      ds[image * channels + c] = float(sum);
    }
  });
}

std::size_t scale_channels_backward_scratch(const ChannelScale& shape) {
  ScratchAllocator counter(nullptr);
  counter.allocate<double>(shape.images * pieces_per_image(shape) * shape.channels);
  return counter.bytes();
}

}  // namespace minicnn
