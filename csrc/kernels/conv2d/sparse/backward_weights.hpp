#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/conv2d/pooled_conv2d.hpp"

namespace minicnn {

// Only for operations that pool_sparse_fits (algorithm_selection.hpp).
//   dy, argmax (N, PH, PW, filters)  x (N, H, W, C)
//   dw (KH, KW, C, filters)  db (filters,) or null   written
void pool_sparse_backward_weights(const PooledConv2D& op, const float* dy,
                                  const std::uint8_t* argmax, const float* x, float* dw, float* db,
                                  char* scratch) noexcept;
std::size_t pool_sparse_backward_weights_scratch(const PooledConv2D& op);

// The same for a convolution without a pooling, only for those that relu_sparse_fits: the products
// of the outputs that the ReLU did not clip.
//   dy (N, OH, OW, filters)
//   y  (N, OH, OW, filters)   the ReLU's output; null if dy is already 0 where the ReLU clips
void relu_sparse_backward_weights(const Conv2D& conv, const float* dy, const float* y,
                                  const float* x, float* dw, float* db, char* scratch) noexcept;
std::size_t relu_sparse_backward_weights_scratch(const Conv2D& conv);

}  // namespace minicnn
