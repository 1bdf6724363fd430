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

// Applies an affine transform or a homography to each image:
//
//   y[i, j] = scale * x[u / w, v / w]   u = (m[0] * i + m[2]) + m[1] * j
//                                       v = (m[3] * i + m[5]) + m[4] * j
//                                       w = (m[6] * i + m[8]) + m[7] * j, or 1 without m[6]...m[8]
//
// A point with w <= 0 is outside the image, as one with NaN is.
//
//   x (N, H, W, C)  uint8 or float32; H and W at most 2^24
//   m (N, values)   any values, also NaN; 6 are affine transforms and 9 homographies
//   y (N, H, W, C)  written
//
// One task computes one image, so a single image is computed on the calling thread.
template <class T>
void augment(const T* x, const Shape4& xs, const float* m, std::int64_t values, const Augment& rule,
             float* y) noexcept;

}  // namespace minicnn
