#pragma once

#include <cstddef>
#include <cstdint>

#include "core/shapes.hpp"

namespace minicnn {

// How each of `outputs` rows (or columns) is made of those of an image: the weighted sum of `taps`
// of them. Indices outside of the image count as its border.
struct Taps {
  std::int64_t outputs, taps;
  const std::int32_t* index;  // (outputs, taps)
  const float* weight;        // (outputs, taps)
};

struct Resample {
  Taps rows, columns;
  float fill;  // what the weights that are missing to a sum of 1 are weights of
};

// The scratch of both kernels, in bytes, for images of this shape.
std::size_t resample_scratch(const Shape4& xs);

// y[n, i, j] = sum over k, l of rows.weight[i, k] * columns.weight[j, l] * x[n, rows.index[i, k],
// columns.index[j, l]], plus what is missing to a sum of weights of 1 times `fill`.
//
//   x (N, H, W, C)                            uint8 or float32, H and W at least 1
//   y (N, rows.outputs, columns.outputs, C)   written
template <class T>
void resample_forward(const T* x, const Shape4& xs, const Resample& rule, float* y,
                      char* scratch) noexcept;

// dx (N, H, W, C) = xs is written.
void resample_backward(const float* dy, const Shape4& xs, const Resample& rule, float* dx,
                       char* scratch) noexcept;

}  // namespace minicnn
