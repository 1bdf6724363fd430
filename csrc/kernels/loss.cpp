#include "kernels/loss.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/blocks.hpp"

namespace minicnn {
namespace {

constexpr std::int64_t kLogarithm = 8;  // one costs about as much as 8 floats read
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// Keras's clip, so that no logarithm is infinite. NaN stays NaN.
constexpr float kSmallest = 1e-7F, kLargest = float(1.0 - 1e-7);

float clipped(float p) { return p < kSmallest ? kSmallest : p > kLargest ? kLargest : p; }

float sum_of(const float* row, std::int64_t c) {
  double sum = 0.0;
  for (std::int64_t i = 0; i < c; ++i) sum += double(row[i]);
  return float(sum);
}

template <class Truth>
void categorical_forward(const float* y_pred, const Truth& truth, std::int64_t rows, float* loss) {
  const std::int64_t c = truth.c;
  parallel_rows(rows, c * kLogarithm, [&](std::int64_t row, int) {
    const float* p = y_pred + row * c;
    const float total = sum_of(p, c);
    double sum = 0.0;
    for (std::int64_t i = 0; i < c; ++i) {
      sum -= double(truth(row, i)) * double(std::log(clipped(p[i] / total)));
    }
    loss[row] = truth.valid(row) ? float(sum) : kNaN;
  });
}

// The loss's gradient by q = p / total; 0 where the clip holds q fast.
float by_quotient(float q, float t) { return clipped(q) == q ? -t / q : 0.0F; }

template <class Truth>
void categorical_backward(const float* dloss, const float* y_pred, const Truth& truth,
                          std::int64_t rows, float* dy_pred) {
  const std::int64_t c = truth.c;
  parallel_rows(rows, c, [&](std::int64_t row, int) {
    const float* p = y_pred + row * c;
    float* dp = dy_pred + row * c;
    if (!truth.valid(row)) {
      std::fill_n(dp, c, 0.0F);
      return;
    }
    const float total = sum_of(p, c);
    double mean = 0.0;
    for (std::int64_t i = 0; i < c; ++i) {
      const float q = p[i] / total;
      mean += double(by_quotient(q, truth(row, i))) * double(q);
    }
    for (std::int64_t i = 0; i < c; ++i) {
      const float g = by_quotient(p[i] / total, truth(row, i));
      dp[i] = dloss[row] * float(double(g) - mean) / total;
    }
  });
}

// loss[row] = mean of term(p, t) over the row
template <class Term>
void mean_of_row(const float* y_pred, const DenseTruth& truth, std::int64_t rows, Term term,
                 float* loss) {
  const std::int64_t c = truth.c;
  parallel_rows(rows, c * kLogarithm, [&](std::int64_t row, int) {
    double sum = 0.0;
    for (std::int64_t i = 0; i < c; ++i) sum += double(term(y_pred[row * c + i], truth(row, i)));
    loss[row] = float(sum / double(c));
  });
}

// dy_pred = dloss[row] * slope(p, t) / c
template <class Slope>
void slope_of_row(const float* dloss, const float* y_pred, const DenseTruth& truth,
                  std::int64_t rows, Slope slope, float* dy_pred) {
  const std::int64_t c = truth.c;
  parallel_rows(rows, c, [&](std::int64_t row, int) {
    for (std::int64_t i = 0; i < c; ++i) {
      const float g = slope(y_pred[row * c + i], truth(row, i));
      dy_pred[row * c + i] = dloss[row] * g / float(c);
    }
  });
}

}  // namespace

void categorical_crossentropy_forward(const float* y_pred, const DenseTruth& truth,
                                      std::int64_t rows, float* loss) noexcept {
  categorical_forward(y_pred, truth, rows, loss);
}

void categorical_crossentropy_forward(const float* y_pred, const SparseTruth& truth,
                                      std::int64_t rows, float* loss) noexcept {
  categorical_forward(y_pred, truth, rows, loss);
}

void categorical_crossentropy_backward(const float* dloss, const float* y_pred,
                                       const DenseTruth& truth, std::int64_t rows,
                                       float* dy_pred) noexcept {
  categorical_backward(dloss, y_pred, truth, rows, dy_pred);
}

void categorical_crossentropy_backward(const float* dloss, const float* y_pred,
                                       const SparseTruth& truth, std::int64_t rows,
                                       float* dy_pred) noexcept {
  categorical_backward(dloss, y_pred, truth, rows, dy_pred);
}

void binary_crossentropy_forward(const float* y_pred, const DenseTruth& truth, std::int64_t rows,
                                 float* loss) noexcept {
  const auto term = [](float prediction, float t) {
    const float p = clipped(prediction);
    return -(t * std::log(p) + (1.0F - t) * std::log(1.0F - p));
  };
  mean_of_row(y_pred, truth, rows, term, loss);
}

void binary_crossentropy_backward(const float* dloss, const float* y_pred, const DenseTruth& truth,
                                  std::int64_t rows, float* dy_pred) noexcept {
  const auto slope = [](float p, float t) {
    return clipped(p) == p ? (1.0F - t) / (1.0F - p) - t / p : 0.0F;
  };
  slope_of_row(dloss, y_pred, truth, rows, slope, dy_pred);
}

void mean_squared_error_forward(const float* y_pred, const DenseTruth& truth, std::int64_t rows,
                                float* loss) noexcept {
  const auto term = [](float p, float t) { return (p - t) * (p - t); };
  mean_of_row(y_pred, truth, rows, term, loss);
}

void mean_squared_error_backward(const float* dloss, const float* y_pred, const DenseTruth& truth,
                                 std::int64_t rows, float* dy_pred) noexcept {
  const auto slope = [](float p, float t) { return 2.0F * (p - t); };
  slope_of_row(dloss, y_pred, truth, rows, slope, dy_pred);
}

}  // namespace minicnn
