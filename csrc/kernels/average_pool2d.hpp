#pragma once

#include <cstddef>
#include <cstdint>

#include "core/shapes.hpp"

namespace minicnn {

// Every window must contain a cell of the image, and its dilation must be 1. The mean is over the
// cells inside the image.
//
//   x       xs, (N, H, W, C)
//   y       (N, OH, OW, C)     written
//   scratch average_pool2d_scratch(C) bytes, aligned for double
std::size_t average_pool2d_scratch(std::int64_t c);
void average_pool2d_forward(const float* x, const Shape4& xs, const Window2D& window, float* y,
                            char* scratch) noexcept;

//   dx      xs, (N, H, W, C)   written
void average_pool2d_backward(const float* dy, const Shape4& xs, const Window2D& window,
                             float* dx) noexcept;

}  // namespace minicnn
