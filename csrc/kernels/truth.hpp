#pragma once

#include <cstdint>

namespace minicnn {

// What a loss compares row by row with: `c` numbers a row, smoothed: t * keep + share.
struct Smoothing {
  float keep, share;
};

// Given number by number, (rows, c).
struct DenseTruth {
  const float* y_true;
  std::int64_t c;
  Smoothing smoothing;

  bool valid(std::int64_t) const { return true; }
  float operator()(std::int64_t row, std::int64_t i) const {
    return y_true[row * c + i] * smoothing.keep + smoothing.share;
  }
};

// Given as the class's number, (rows,): 1 there and 0 elsewhere, before smoothing.
struct SparseTruth {
  const std::int32_t* y_true;
  std::int64_t c;
  Smoothing smoothing;

  bool valid(std::int64_t row) const { return y_true[row] >= 0 && y_true[row] < c; }
  float operator()(std::int64_t row, std::int64_t i) const {
    return (y_true[row] == i ? smoothing.keep : 0.0F) + smoothing.share;
  }
};

}  // namespace minicnn
