#pragma once

#include <cstddef>
#include <cstdint>

#include "core/shapes.hpp"

namespace minicnn {

// Every image must have at least one pixel and at most 2^31 - 1.
//
//   x, dx   xs, (N, H, W, C)
//   y, dy   (N, C)
//   argmax  (N, C)             index y * W + x of each channel's first maximum
void global_max_pool2d_forward(const float* x, const Shape4& xs, float* y,
                               std::int32_t* argmax) noexcept;
// An argmax outside the image is ignored.
void global_max_pool2d_backward(const float* dy, const std::int32_t* argmax, const Shape4& xs,
                                float* dx) noexcept;

//   scratch global_average_pool2d_scratch(C) bytes, aligned for double
std::size_t global_average_pool2d_scratch(std::int64_t c);
void global_average_pool2d_forward(const float* x, const Shape4& xs, float* y,
                                   char* scratch) noexcept;
void global_average_pool2d_backward(const float* dy, const Shape4& xs, float* dx) noexcept;

}  // namespace minicnn
