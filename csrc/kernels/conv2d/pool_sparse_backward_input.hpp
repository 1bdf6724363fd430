#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/conv2d/pooled.hpp"

namespace minicnn {

// Only where pool_sparse_fits (chooser.hpp).
//   dy, argmax (N, PH, PW, filters)  w (KH, KW, C, filters)
//   x (N, H, W, C) or null, see conv2d.hpp
//   dx (N, H, W, C)   written; may be x
void pool_sparse_backward_input(const PooledConv2D& op, const float* dy, const std::uint8_t* argmax,
                                const float* w, const float* x, float* dx, char* scratch) noexcept;
std::size_t pool_sparse_backward_input_scratch(const PooledConv2D& op);

}  // namespace minicnn
