#pragma once

#include <cstdint>

#include "core/shapes.hpp"

namespace minicnn {

// What is seen beside an image a b c d: its edge (aaaa|abcd|dddd), itself mirrored (dcba|abcd|dcba)
// or again (abcd|abcd|abcd), or `outside`.
enum class Fill { constant, nearest, reflect, wrap };

struct Augment {
  Fill fill;
  bool smooth;    // between pixels: their weighted mean, else the nearest one
  float outside;  // Fill::constant
  float scale;
};

// y[i, j] = scale * x[u, v], where u = (m[0] * i + m[2]) + m[1] * j, v = (m[3] * i + m[5]) + m[4] *
// j. An image of 16 million rows or columns is too large.
//
//   x (N, H, W, C)  uint8 or float32
//   m (N, 6)        any numbers, also NaN
//   y (N, H, W, C)  written
//
// Each image is one piece of work: one image alone does not leave the calling thread.
template <class T>
void augment(const T* x, const Shape4& xs, const float* m, const Augment& rule, float* y) noexcept;

}  // namespace minicnn
