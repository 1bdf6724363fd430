#pragma once

#include <cstdint>

#include "core/shapes.hpp"

namespace minicnn {

// The contract is the reference, minicnn/backends/numpy; every array is dense, channels last.
// Every window sees at least one cell of the image, and its dilation is 1.
//
//   x      xs, (N, H, W, C)
//   y      (N, OH, OW, C)   written
//   argmax (N, OH, OW, C)   written; ky * KW + kx of each window's maximum
void max_pool2d_forward(const float* x, const Shape4& xs, const Window2D& window, float* y,
                        std::int32_t* argmax) noexcept;

//   dx     xs, (N, H, W, C) written; an argmax outside its window or the image reaches nothing
void max_pool2d_backward(const float* dy, const std::int32_t* argmax, const Shape4& xs,
                         const Window2D& window, float* dx) noexcept;

}  // namespace minicnn
