#pragma once

#include <cstddef>

#include "kernels/conv2d/geometry.hpp"

namespace minicnn {

//   dy (N, OH, OW, filters)  x (N, H, W, C)
//   y  (N, OH, OW, filters) or null: dy counts as 0 where the ReLU's output y is not positive
//   dw (KH, KW, C / groups, filters)  db (filters,) or null   written
void direct_backward_weights(const Conv2D& conv, const float* dy, const float* y, const float* x,
                             float* dw, float* db, char* scratch) noexcept;
std::size_t direct_backward_weights_scratch(const Conv2D& conv, bool relu);

}  // namespace minicnn
