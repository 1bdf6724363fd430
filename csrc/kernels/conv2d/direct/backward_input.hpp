#pragma once

#include <cstddef>

#include "kernels/conv2d/geometry.hpp"

namespace minicnn {

//   dy (N, OH, OW, filters)  w (KH, KW, C / groups, filters)
//   dx (N, H, W, C)          written; 0 where no window reads x
void direct_backward_input(const Conv2D& conv, const float* dy, const float* w, float* dx,
                           char* scratch) noexcept;
std::size_t direct_backward_input_scratch(const Conv2D& conv);

}  // namespace minicnn
