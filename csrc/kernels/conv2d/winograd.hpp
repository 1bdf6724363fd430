#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/conv2d/geometry.hpp"
#include "kernels/conv2d/pooled.hpp"

namespace minicnn {

// Winograd's algorithm (winograd_transforms.hpp says how it works): a quarter of the products for
// kernels of 3 x 3, F(4x4, 3x3), and 4/25 of them for 5 x 5, F(4x4, 5x5). The rounding errors are
// larger than those of a direct sum, 4 and 14 times; a NaN may reach all 4 x 4 outputs of a tile.

// True if the kernel is 3 x 3 or 5 x 5, without strides, dilation and groups.
bool winograd_fits(const Conv2D& conv);
// True if the pooling, too, is one of those that winograd_pooled_forward computes: windows of
// 2 x 2, side by side, without padding.
bool winograd_fits(const PooledConv2D& op);

//   w (KH, KW, C, filters)
//   u (winograd_weights_size(conv) floats)   written; the weights as winograd_forward reads them,
//                                            in an order that depends on the instruction set
void winograd_transform_weights(const Conv2D& conv, const float* w, float* u) noexcept;
std::int64_t winograd_weights_size(const Conv2D& conv);

//   x (N, H, W, C)  u from winograd_transform_weights  b (filters,) or null
//   y (N, OH, OW, filters)   written; with `relu`, 0 where it would be negative
void winograd_forward(const Conv2D& conv, const float* x, const float* u, const float* b, bool relu,
                      float* y, char* scratch) noexcept;
std::size_t winograd_forward_scratch(const Conv2D& conv);

//   y, argmax (N, PH, PW, filters), moments   written; as in conv2d_max_pool2d_forward
void winograd_pooled_forward(const PooledConv2D& op, const float* x, const float* u, const float* b,
                             float* y, std::uint8_t* argmax, double* moments,
                             char* scratch) noexcept;
std::size_t winograd_pooled_forward_scratch(const PooledConv2D& op);

//   dy (N, OH, OW, filters)  y like dy or null: dy counts as 0 where y is not positive, as behind
//                            a ReLU whose output was y
//   w (KH, KW, C, filters)
//   dx (N, H, W, C)          written
void winograd_backward_input(const Conv2D& conv, const float* dy, const float* y, const float* w,
                             const float* x, float* dx, char* scratch) noexcept;
std::size_t winograd_backward_input_scratch(const Conv2D& conv);

//   dw (KH, KW, C, filters)  db (filters,) or null   written; y as above
void winograd_backward_weights(const Conv2D& conv, const float* dy, const float* y, const float* x,
                               float* dw, float* db, char* scratch) noexcept;
std::size_t winograd_backward_weights_scratch(const Conv2D& conv);

}  // namespace minicnn
