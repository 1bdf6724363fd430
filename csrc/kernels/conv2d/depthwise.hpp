#pragma once

#include <cstddef>

#include "kernels/conv2d/geometry.hpp"

namespace minicnn {

// Convolutions whose filters each read a single channel: groups == C, and at most kMaxCells cells.
// The vectors run over the filters, since products share nothing else.
//   x (N, H, W, C)  w (KH, KW, 1, filters)  b (filters,) or null  y, dy (N, OH, OW, filters)
//   y, dx, dw, db (or null)   written
bool is_depthwise(const Conv2D& conv);

void depthwise_forward(const Conv2D& conv, const float* x, const float* w, const float* b, float* y,
                       char* scratch) noexcept;
std::size_t depthwise_forward_scratch(const Conv2D& conv);

void depthwise_backward_input(const Conv2D& conv, const float* dy, const float* w, float* dx,
                              char* scratch) noexcept;
std::size_t depthwise_backward_input_scratch(const Conv2D& conv);

void depthwise_backward_weights(const Conv2D& conv, const float* dy, const float* x, float* dw,
                                float* db, char* scratch) noexcept;
std::size_t depthwise_backward_weights_scratch(const Conv2D& conv);

}  // namespace minicnn
