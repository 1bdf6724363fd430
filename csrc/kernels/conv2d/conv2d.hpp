#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/conv2d/geometry.hpp"
#include "kernels/conv2d/kept_weights.hpp"
#include "kernels/conv2d/pooled.hpp"

namespace minicnn {

// Convolution as its callers know it. chooser.hpp says which algorithm computes what; each
// algorithm has files of its own beside this one.

//   x (N, H, W, C)  w (KH, KW, C / groups, filters)  b (filters,) or null
//   y (N, OH, OW, filters)   written; with `relu`, 0 where the sum is negative
// `kept`, made for this convolution, remembers what is derived from w; null where w changes always.
void conv2d_forward(const Conv2D& conv, const float* x, const float* w, const float* b, bool relu,
                    float* y, char* scratch, KeptWeights* kept = nullptr) noexcept;
std::size_t conv2d_forward_scratch(const Conv2D& conv);

// Both gradients: y is null, or what conv2d_forward with `relu` wrote. Then dy counts only where
// y > 0, and the scratch size is that for `relu`.
//   dy, y (N, OH, OW, filters)
//   x  (N, H, W, C)   null, or what a ReLU wrote: then dx goes on through it, 0 unless x > 0, and
//   the
//                     scratch size is that of `behind_relu`
//   dx (N, H, W, C)   written; 0 where no window looks; may be x
void conv2d_backward_input(const Conv2D& conv, const float* dy, const float* y, const float* w,
                           const float* x, float* dx, char* scratch) noexcept;
std::size_t conv2d_backward_input_scratch(const Conv2D& conv, bool relu, bool behind_relu);

//   dw (KH, KW, C / groups, filters)  db (filters,) or null   written
void conv2d_backward_weights(const Conv2D& conv, const float* dy, const float* y, const float* x,
                             float* dw, float* db, char* scratch) noexcept;
std::size_t conv2d_backward_weights_scratch(const Conv2D& conv, bool relu);

//   y      (N, PH, PW, filters)   written
//   argmax (N, PH, PW, filters)   written; the number ky * KW + kx of the pool's first largest
//                                 cell, or kNobody where ReLU left nothing > 0
//   moments (2, filters)          written if op.moments: means and variances of y's channels; not
//                                 finite where a number is not, or a square overflows float32
// The image between the two, (N, OH, OW, filters), is never written.
void conv2d_max_pool2d_forward(const PooledConv2D& op, const float* x, const float* w,
                               const float* b, float* y, std::uint8_t* argmax, double* moments,
                               char* scratch, KeptWeights* kept = nullptr) noexcept;
std::size_t conv2d_max_pool2d_forward_scratch(const PooledConv2D& op);

//   dy, argmax (N, PH, PW, filters); an argmax may be any number: dy counts where it is in the
//   window
void conv2d_max_pool2d_backward_input(const PooledConv2D& op, const float* dy,
                                      const std::uint8_t* argmax, const float* w, const float* x,
                                      float* dx, char* scratch) noexcept;
std::size_t conv2d_max_pool2d_backward_input_scratch(const PooledConv2D& op, bool behind_relu);

void conv2d_max_pool2d_backward_weights(const PooledConv2D& op, const float* dy,
                                        const std::uint8_t* argmax, const float* x, float* dw,
                                        float* db, char* scratch) noexcept;
std::size_t conv2d_max_pool2d_backward_weights_scratch(const PooledConv2D& op);

}  // namespace minicnn
