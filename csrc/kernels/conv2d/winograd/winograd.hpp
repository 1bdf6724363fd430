#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/conv2d/geometry.hpp"
#include "kernels/conv2d/pooled_conv2d.hpp"

namespace minicnn {

// Winograd's algorithm, explained in transforms.hpp: a quarter of the products for kernels of 3 x
// 3, F(4x4, 3x3), and 4/25 of them for 5 x 5, F(4x4, 5x5). The rounding errors are 4 and 14 times
// those of a direct sum, and a NaN may reach all 4 x 4 outputs of a tile.

// Returns whether the kernel is 3 x 3 or 5 x 5, without strides, dilation and groups.
bool winograd_fits(const Conv2D& conv);
// Returns whether, in addition, the pooling windows are 2 x 2, side by side and without padding.
bool winograd_fits(const PooledConv2D& op);

//   w (KH, KW, C, filters)
//   u (winograd_weights_size(conv) floats)   written; the transformed weights, in an order that
//                                            depends on the instruction set
void winograd_transform_weights(const Conv2D& conv, const float* w, float* u) noexcept;
std::int64_t winograd_weights_size(const Conv2D& conv);

//   x (N, H, W, C)  u from winograd_transform_weights  b (filters,) or null
//   y (N, OH, OW, filters)   written; with `relu`, 0 where it would be negative
void winograd_forward(const Conv2D& conv, const float* x, const float* u, const float* b, bool relu,
                      float* y, char* scratch) noexcept;
std::size_t winograd_forward_scratch(const Conv2D& conv);

//   y, argmax (N, PH, PW, filters), moments   written, as in conv2d_max_pool2d_forward
void winograd_pooled_forward(const PooledConv2D& op, const float* x, const float* u, const float* b,
                             float* y, std::uint8_t* argmax, double* moments,
                             char* scratch) noexcept;
std::size_t winograd_pooled_forward_scratch(const PooledConv2D& op);

//   dy (N, OH, OW, filters)  y like dy, or null: dy counts as 0 where the ReLU's output y is not
//                            positive
//   w  (KH, KW, C, filters)
//   x  (N, H, W, C) or null: dx is set to 0 where x is not positive
//   dx (N, H, W, C)          written
void winograd_backward_input(const Conv2D& conv, const float* dy, const float* y, const float* w,
                             const float* x, float* dx, char* scratch) noexcept;
std::size_t winograd_backward_input_scratch(const Conv2D& conv);

//   dw (KH, KW, C, filters)  db (filters,) or null   written; y as above
void winograd_backward_weights(const Conv2D& conv, const float* dy, const float* y, const float* x,
                               float* dw, float* db, char* scratch) noexcept;
std::size_t winograd_backward_weights_scratch(const Conv2D& conv);

}  // namespace minicnn
