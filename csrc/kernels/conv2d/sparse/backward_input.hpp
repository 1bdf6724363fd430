#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/conv2d/pooled_conv2d.hpp"

namespace minicnn {

// Only for operations that pool_sparse_fits (algorithm_selection.hpp).
//   dy, argmax (N, PH, PW, filters)  w (KH, KW, C, filters)
//   x (N, H, W, C) or null: dx is set to 0 where x is not positive
//   dx (N, H, W, C)   written; may be x
void pool_sparse_backward_input(const PooledConv2D& op, const float* dy, const std::uint8_t* argmax,
                                const float* w, const float* x, float* dx, char* scratch) noexcept;
std::size_t pool_sparse_backward_input_scratch(const PooledConv2D& op);

}  // namespace minicnn
