#pragma once

#include <cstdint>

#include "core/shapes.hpp"

namespace minicnn {

// Rows and columns of zeros around an image.
struct Border {
  std::int64_t top, bottom, left, right;

  Shape4 around(const Shape4& s) const {
    return {s.n, s.h + top + bottom, s.w + left + right, s.c};
  }
};

//   x, dx   xs
//   y, dy   border.around(xs)
void zero_pad2d_forward(const float* x, const Shape4& xs, const Border& border, float* y) noexcept;
void zero_pad2d_backward(const float* dy, const Shape4& xs, const Border& border,
                         float* dx) noexcept;

// Arrays cut before the axis they are joined at: (outer, a_size), (outer, b_size) and
// (outer, a_size + b_size).
struct Joint {
  std::int64_t outer, a_size, b_size;
};
void concatenate_forward(const float* a, const float* b, const Joint& joint, float* y) noexcept;
void concatenate_backward(const float* dy, const Joint& joint, float* da, float* db) noexcept;

}  // namespace minicnn
