#pragma once

#include <cstdint>

namespace minicnn {

// The cost of one exponential, in floats read.
constexpr std::int64_t kExponentialCost = 8;

// Turns the logits of a row into log-probabilities: (logit - max) - log_sum.
struct Normalizer {
  float max;       // of the logits; 0 for an empty row
  double log_sum;  // log(sum of e^(logits - max))
};

// probabilities (c,) = softmax of logits (c,).
Normalizer softmax_row(const float* logits, std::int64_t c, float* probabilities) noexcept;

// x, y, dy, dx (rows, c); y and dx are written.
void softmax_forward(const float* x, std::int64_t rows, std::int64_t c, float* y) noexcept;
void softmax_backward(const float* dy, const float* y, std::int64_t rows, std::int64_t c,
                      float* dx) noexcept;

}  // namespace minicnn
