#pragma once

#include <cstdint>

#include "core/shapes.hpp"

namespace minicnn {

struct AdjustColors {
  bool about_mean;  // gain is applied to the distance from the channel's mean, else from 0
  float low, high;  // the result is limited to this range
};

// With the three values of `levels` for each image, gain, shift and gray:
//
//   y = min(max((v - mean) * gain + mean + shift, low), high)
//
// where v is x, or for gray >= 0.5, in images of three channels, its brightness in all of them.
//
//   x (N, H, W, C)    uint8 or float32, H, W and C at least 1
//   levels (N, 3)
//   y (N, H, W, C)    written
template <class T>
void adjust_colors(const T* x, const Shape4& xs, const float* levels, const AdjustColors& rule,
                   float* y) noexcept;

}  // namespace minicnn
