#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/conv2d/pooled_conv2d.hpp"

namespace minicnn {

// The direct convolution that is pooled while its rows are in cache, and its gradients, which first
// write the gradient of the whole unpooled output. For any shape; the arrays are those of
// conv2d.hpp.

void direct_pooled_forward(const PooledConv2D& op, const float* x, const float* w, const float* b,
                           float* y, std::uint8_t* argmax, double* moments, char* scratch) noexcept;
std::size_t direct_pooled_forward_scratch(const PooledConv2D& op);

void direct_pooled_backward_input(const PooledConv2D& op, const float* dy,
                                  const std::uint8_t* argmax, const float* w, float* dx,
                                  char* scratch) noexcept;
std::size_t direct_pooled_backward_input_scratch(const PooledConv2D& op);

void direct_pooled_backward_weights(const PooledConv2D& op, const float* dy,
                                    const std::uint8_t* argmax, const float* x, float* dw,
                                    float* db, char* scratch) noexcept;
std::size_t direct_pooled_backward_weights_scratch(const PooledConv2D& op);

}  // namespace minicnn
