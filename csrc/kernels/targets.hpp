#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace minicnn {

// Label smoothing: a target t counts as t * scale + offset.
struct Smoothing {
  float scale, offset;
};

// The targets that a loss compares the rows of its predictions with: c values per row.
// Dense targets are given as all values, (rows, c).
struct DenseTargets {
  const float* y_true;
  std::int64_t c;
  Smoothing smoothing;

  bool valid(std::int64_t) const { return true; }
  float operator()(std::int64_t row, std::int64_t i) const {
    return y_true[row * c + i] * smoothing.scale + smoothing.offset;
  }
};

// Sparse targets are given as class indices, (rows,): before smoothing, 1 for that class, else 0.
struct SparseTargets {
  const std::int32_t* y_true;
  std::int64_t c;
  Smoothing smoothing;

  bool valid(std::int64_t row) const { return y_true[row] >= 0 && y_true[row] < c; }
  float operator()(std::int64_t row, std::int64_t i) const {
    return (y_true[row] == i ? smoothing.scale : 0.0F) + smoothing.offset;
  }
};

// Returns the loss of a row, rounded to float32; NaN if the row's class index is not valid.
template <class Targets>
float loss_of_row(const Targets& targets, std::int64_t row, double loss) {
  return targets.valid(row) ? float(loss) : std::numeric_limits<float>::quiet_NaN();
}

// Sets the gradient of a row, (c,), to 0 and returns true if the row's class index is not valid.
template <class Targets>
bool clear_if_invalid(const Targets& targets, std::int64_t row, float* gradient) {
  if (targets.valid(row)) return false;
  std::fill_n(gradient, targets.c, 0.0F);
  return true;
}

}  // namespace minicnn
