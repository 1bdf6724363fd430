#pragma once

#include <cstdint>

#include "core/shapes.hpp"

namespace minicnn {

// The rows and columns of zeros around an image.
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

// Two arrays that are concatenated, with the axes before the concatenated one merged: (outer,
// a_size) and (outer, b_size) become (outer, a_size + b_size).
struct ConcatSizes {
  std::int64_t outer, a_size, b_size;
};
void concatenate_forward(const float* a, const float* b, const ConcatSizes& joint,
                         float* y) noexcept;
void concatenate_backward(const float* dy, const ConcatSizes& joint, float* da, float* db) noexcept;

}  // namespace minicnn
