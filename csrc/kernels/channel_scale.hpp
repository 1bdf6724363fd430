#pragma once

#include <cstddef>
#include <cstdint>

namespace minicnn {

// Images whose channels are multiplied by factors: one row of factors per image, or, if all pixels
// have the same factors, a single image that has all pixels.
//   x, y, dy, dx (images, pixels, channels)   s, ds (images, channels)
struct ChannelScale {
  std::int64_t images, pixels, channels;
};

// Writes y = x * s. y may be x.
void scale_channels_forward(const ChannelScale& shape, const float* x, const float* s,
                            float* y) noexcept;

// Writes dx = dy * s, and ds, the sum of dy * x over the pixels. dx may be dy. `scratch` has the
// size that the function with the suffix _scratch returns.
void scale_channels_backward(const ChannelScale& shape, const float* dy, const float* x,
                             const float* s, float* dx, float* ds, char* scratch) noexcept;
std::size_t scale_channels_backward_scratch(const ChannelScale& shape);

}  // namespace minicnn
