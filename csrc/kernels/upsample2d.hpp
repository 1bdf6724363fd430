#pragma once

#include <cstdint>

#include "core/shapes.hpp"

namespace minicnn {

// How many rows and columns each pixel becomes, and whether values between pixels are interpolated.
struct Upsampling {
  std::int64_t rows, columns;
  bool bilinear;
};

//   x, dx   xs, (N, H, W, C)
//   y, dy   (N, H * rows, W * columns, C)
void upsample2d_forward(const float* x, const Shape4& xs, const Upsampling& scale,
                        float* y) noexcept;
void upsample2d_backward(const float* dy, const Shape4& xs, const Upsampling& scale,
                         float* dx) noexcept;

}  // namespace minicnn
