#pragma once

#include <cstddef>

#include "kernels/conv2d/geometry.hpp"

namespace minicnn {

// Convolutions with a single filter, as the last one of an autoencoder has, of at least
// kMinOneFilterChannels channels and at most kMaxCells cells. Vectors run over the channels, since
// tiles of filters would be filled in one column only.
//   x (N, H, W, C)  w (KH, KW, C, 1)  b (1,) or null  y, dy (N, OH, OW, 1)
//   y, dw, db (or null)   written
bool has_one_filter(const Conv2D& conv);

void one_filter_forward(const Conv2D& conv, const float* x, const float* w, const float* b,
                        bool relu, float* y, char* scratch) noexcept;
std::size_t one_filter_forward_scratch(const Conv2D& conv);

void one_filter_backward_weights(const Conv2D& conv, const float* dy, const float* x, float* dw,
                                 float* db, char* scratch) noexcept;
std::size_t one_filter_backward_weights_scratch(const Conv2D& conv);

}  // namespace minicnn
