#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/conv2d/pooled.hpp"

namespace minicnn {

// Only where pool_sparse_fits (chooser.hpp).
//   dy, argmax (N, PH, PW, filters)  x (N, H, W, C)
//   dw (KH, KW, C, filters)  db (filters,) or null   written
void pool_sparse_backward_weights(const PooledConv2D& op, const float* dy,
                                  const std::uint8_t* argmax, const float* x, float* dw, float* db,
                                  char* scratch) noexcept;
std::size_t pool_sparse_backward_weights_scratch(const PooledConv2D& op);

// The same without a pool, only where relu_sparse_fits: what a ReLU let through.
//   dy (N, OH, OW, filters)   y like it: the ReLU's output, or null where dy has its zeros already
void relu_sparse_backward_weights(const Conv2D& conv, const float* dy, const float* y,
                                  const float* x, float* dw, float* db, char* scratch) noexcept;
std::size_t relu_sparse_backward_weights_scratch(const Conv2D& conv);

}  // namespace minicnn
