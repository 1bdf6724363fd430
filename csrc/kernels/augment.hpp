#pragma once

#include <cstdint>

#include "core/shapes.hpp"

namespace minicnn {

// How an image a b c d continues beyond its border: as its border pixels (aaaa|abcd|dddd), mirrored
// (dcba|abcd|dcba), repeated (abcd|abcd|abcd), or as the constant `outside`.
enum class Fill { constant, nearest, reflect, wrap };

struct Augment {
  Fill fill;
  bool smooth;    // bilinear interpolation between pixels, else the nearest one
  float outside;  // Fill::constant
  float scale;
};

// Applies an affine transform to each image:
//
//   y[i, j] = scale * x[u, v]   u = (m[0] * i + m[2]) + m[1] * j
//                               v = (m[3] * i + m[5]) + m[4] * j
//
//   x (N, H, W, C)  uint8 or float32; H and W at most 2^24
//   m (N, 6)        any values, also NaN
//   y (N, H, W, C)  written
//
// One task computes one image, so a single image is computed on the calling thread.
template <class T>
void augment(const T* x, const Shape4& xs, const float* m, const Augment& rule, float* y) noexcept;

}  // namespace minicnn
