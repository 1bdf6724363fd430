#pragma once

#include <cstdint>

#include "core/shapes.hpp"

namespace minicnn {

// Every window must contain a cell of the image, and its dilation must be 1.
//
//   x      xs, (N, H, W, C)
//   y      (N, OH, OW, C)   written
//   argmax (N, OH, OW, C)   written; index ky * KW + kx of each window's first maximum
void max_pool2d_forward(const float* x, const Shape4& xs, const Window2D& window, float* y,
                        std::int32_t* argmax) noexcept;

//   dx     xs, (N, H, W, C) written; an argmax outside its window or the image is ignored
void max_pool2d_backward(const float* dy, const std::int32_t* argmax, const Shape4& xs,
                         const Window2D& window, float* dx) noexcept;

}  // namespace minicnn
