#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/conv2d/geometry.hpp"
#include "kernels/conv2d/pooled_conv2d.hpp"
#include "kernels/conv2d/weight_cache.hpp"

namespace minicnn {

// The convolution as its callers see it. algorithm_selection.hpp says which algorithm computes
// what; the algorithms are in direct/, winograd/, sparse/ and depthwise.hpp.
//
// Each function needs scratch memory, aligned to a cache line, of the size that the function with
// the suffix _scratch returns. Arrays, if they are not said to be null, must not be null:
//
// clang-format off
//   x   (N, H, W, C)                        input
//   w   (KH, KW, C / groups, filters)       weights
//   b   (filters,) or null                  bias
//   y   (N, OH, OW, filters)                output; with `relu`, 0 where it would be negative
//   dy  (N, OH, OW, filters)                gradient of y
//   dx  (N, H, W, C)                        gradient of x; 0 where no window reads x
//   dw  (KH, KW, C / groups, filters)       gradient of w
//   db  (filters,) or null                  gradient of b
// clang-format on

// Writes y. `cached`, made for this convolution, keeps what is derived from w between calls; null
// if w changes between any two calls.
void conv2d_forward(const Conv2D& conv, const float* x, const float* w, const float* b, bool relu,
                    float* y, char* scratch, TransformedWeights* cached = nullptr) noexcept;
std::size_t conv2d_forward_scratch(const Conv2D& conv);

// Both gradients: if y, the output of conv2d_forward with `relu`, is not null, dy counts as 0 where
// y is not positive; the scratch size is then that for `masks_dy`.

// Writes dx. If x, the output of the ReLU before the convolution, is not null, dx is set to 0 where
// x is not positive: it then is the gradient of that ReLU's input. The scratch size is then that
// for `masks_dx`. dx may be x.
void conv2d_backward_input(const Conv2D& conv, const float* dy, const float* y, const float* w,
                           const float* x, float* dx, char* scratch) noexcept;
std::size_t conv2d_backward_input_scratch(const Conv2D& conv, bool masks_dy, bool masks_dx);

// Writes dw and db.
void conv2d_backward_weights(const Conv2D& conv, const float* dy, const float* y, const float* x,
                             float* dw, float* db, char* scratch) noexcept;
std::size_t conv2d_backward_weights_scratch(const Conv2D& conv, bool masks_dy);

// The convolution followed by a ReLU (if op.relu) and a max pooling. The convolution's output, (N,
// OH, OW, filters), is never written to memory as a whole. Instead of the y and dy above:
//
// clang-format off
//   y, dy    (N, PH, PW, filters)   pooled output and its gradient
//   argmax   (N, PH, PW, filters)   index ky * KW + kx of the pooling window's first maximum, or
//                                   kNoArgmax where the ReLU left nothing > 0
//   moments  (2, filters)           mean and variance of each channel of y; not finite if a value
//                                   of y is not, or if its square overflows float32
// clang-format on

// Writes y and argmax, and moments if op.moments.
void conv2d_max_pool2d_forward(const PooledConv2D& op, const float* x, const float* w,
                               const float* b, float* y, std::uint8_t* argmax, double* moments,
                               char* scratch, TransformedWeights* cached = nullptr) noexcept;
std::size_t conv2d_max_pool2d_forward_scratch(const PooledConv2D& op);

// Both gradients accept any values in argmax: a gradient whose argmax is not a cell of the window
// counts as 0.

// Writes dx; x, `masks_dx` and dx as in conv2d_backward_input.
void conv2d_max_pool2d_backward_input(const PooledConv2D& op, const float* dy,
                                      const std::uint8_t* argmax, const float* w, const float* x,
                                      float* dx, char* scratch) noexcept;
std::size_t conv2d_max_pool2d_backward_input_scratch(const PooledConv2D& op, bool masks_dx);

// Writes dw and db.
void conv2d_max_pool2d_backward_weights(const PooledConv2D& op, const float* dy,
                                        const std::uint8_t* argmax, const float* x, float* dw,
                                        float* db, char* scratch) noexcept;
std::size_t conv2d_max_pool2d_backward_weights_scratch(const PooledConv2D& op);

}  // namespace minicnn
