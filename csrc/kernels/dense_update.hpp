#pragma once

#include <cstddef>

#include "kernels/dense.hpp"
#include "kernels/optimizer.hpp"

namespace minicnn {

// dense_backward_weights and update() in one pass over the weights. The bits are the same, but the
// gradient, which is as large as the weights, is never in memory as a whole.
//   dy (N, units)  x (N, inputs)
//   w (inputs, units), and the optimizer's slots   updated
void dense_update(const Dense& dense, const float* dy, const float* x, float* w,
                  const Optimizer& optimizer, char* scratch) noexcept;
std::size_t dense_update_scratch(const Dense& dense);

}  // namespace minicnn
