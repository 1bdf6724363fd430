#include "kernels/loss.hpp"

#include <cmath>

#include "core/blocks.hpp"

namespace minicnn {
namespace {

constexpr std::int64_t kLogarithmCost = 8;  // of one logarithm, in floats read

// The probabilities are clipped as in Keras, so that no logarithm is infinite. NaN stays NaN.
constexpr float kMinProbability = 1e-7F, kMaxProbability = float(1.0 - 1e-7);

float clipped(float p) {
  return p < kMinProbability ? kMinProbability : p > kMaxProbability ? kMaxProbability : p;
}

float sum_of(const float* row, std::int64_t c) {
  double sum = 0.0;
  for (std::int64_t i = 0; i < c; ++i) sum += double(row[i]);
  return float(sum);
}

template <class Targets>
void categorical_forward(const float* y_pred, const Targets& targets, std::int64_t rows,
                         float* loss) {
  const std::int64_t c = targets.c;
  parallel_rows(rows, c * kLogarithmCost, [&](std::int64_t row, int) {
    const float* p = y_pred + row * c;
    const float total = sum_of(p, c);
    double sum = 0.0;
    for (std::int64_t i = 0; i < c; ++i) {
      sum -= double(targets(row, i)) * double(std::log(clipped(p[i] / total)));
    }
    loss[row] = loss_of_row(targets, row, sum);
  });
}

// Returns the gradient of the loss with respect to q = p / total; 0 where q is clipped.
float by_quotient(float q, float t) { return clipped(q) == q ? -t / q : 0.0F; }

template <class Targets>
void categorical_backward(const float* dloss, const float* y_pred, const Targets& targets,
                          std::int64_t rows, float* dy_pred) {
  const std::int64_t c = targets.c;
  parallel_rows(rows, c, [&](std::int64_t row, int) {
    const float* p = y_pred + row * c;
    float* dp = dy_pred + row * c;
    if (clear_if_invalid(targets, row, dp)) return;
    const float total = sum_of(p, c);
    double mean = 0.0;
    for (std::int64_t i = 0; i < c; ++i) {
      const float q = p[i] / total;
      mean += double(by_quotient(q, targets(row, i))) * double(q);
    }
    for (std::int64_t i = 0; i < c; ++i) {
      const float g = by_quotient(p[i] / total, targets(row, i));
      dp[i] = dloss[row] * float(double(g) - mean) / total;
    }
  });
}

// loss[row] = the mean of term(p, t) over the row.
template <class Term>
void mean_of_row(const float* y_pred, const DenseTargets& targets, std::int64_t rows, Term term,
                 float* loss) {
  const std::int64_t c = targets.c;
  parallel_rows(rows, c * kLogarithmCost, [&](std::int64_t row, int) {
    double sum = 0.0;
    for (std::int64_t i = 0; i < c; ++i) sum += double(term(y_pred[row * c + i], targets(row, i)));
    loss[row] = float(sum / double(c));
  });
}

// dy_pred = dloss[row] * slope(p, t) / c.
template <class Slope>
void slope_of_row(const float* dloss, const float* y_pred, const DenseTargets& targets,
                  std::int64_t rows, Slope slope, float* dy_pred) {
  const std::int64_t c = targets.c;
  parallel_rows(rows, c, [&](std::int64_t row, int) {
    for (std::int64_t i = 0; i < c; ++i) {
      const float g = slope(y_pred[row * c + i], targets(row, i));
      dy_pred[row * c + i] = dloss[row] * g / float(c);
    }
  });
}

}  // namespace

void categorical_crossentropy_forward(const float* y_pred, const DenseTargets& targets,
                                      std::int64_t rows, float* loss) noexcept {
  categorical_forward(y_pred, targets, rows, loss);
}

void categorical_crossentropy_forward(const float* y_pred, const SparseTargets& targets,
                                      std::int64_t rows, float* loss) noexcept {
  categorical_forward(y_pred, targets, rows, loss);
}

void categorical_crossentropy_backward(const float* dloss, const float* y_pred,
                                       const DenseTargets& targets, std::int64_t rows,
                                       float* dy_pred) noexcept {
  categorical_backward(dloss, y_pred, targets, rows, dy_pred);
}

void categorical_crossentropy_backward(const float* dloss, const float* y_pred,
                                       const SparseTargets& targets, std::int64_t rows,
                                       float* dy_pred) noexcept {
  categorical_backward(dloss, y_pred, targets, rows, dy_pred);
}

void binary_crossentropy_forward(const float* y_pred, const DenseTargets& targets,
                                 std::int64_t rows, float* loss) noexcept {
  const auto term = [](float prediction, float t) {
    const float p = clipped(prediction);
    return -(t * std::log(p) + (1.0F - t) * std::log(1.0F - p));
  };
  mean_of_row(y_pred, targets, rows, term, loss);
}

void binary_crossentropy_backward(const float* dloss, const float* y_pred,
                                  const DenseTargets& targets, std::int64_t rows,
                                  float* dy_pred) noexcept {
  const auto slope = [](float p, float t) {
    return clipped(p) == p ? (1.0F - t) / (1.0F - p) - t / p : 0.0F;
  };
  slope_of_row(dloss, y_pred, targets, rows, slope, dy_pred);
}

void mean_squared_error_forward(const float* y_pred, const DenseTargets& targets, std::int64_t rows,
                                float* loss) noexcept {
  const auto term = [](float p, float t) { return (p - t) * (p - t); };
  mean_of_row(y_pred, targets, rows, term, loss);
}

void mean_squared_error_backward(const float* dloss, const float* y_pred,
                                 const DenseTargets& targets, std::int64_t rows,
                                 float* dy_pred) noexcept {
  const auto slope = [](float p, float t) { return 2.0F * (p - t); };
  slope_of_row(dloss, y_pred, targets, rows, slope, dy_pred);
}

}  // namespace minicnn
