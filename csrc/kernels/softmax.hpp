#pragma once

#include <cstdint>

namespace minicnn {

// What turns a row's logits into log-probabilities: (logit - largest) - log_sum.
struct Normalizer {
  float largest;   // of the logits; 0 for an empty row
  double log_sum;  // log(sum of e^(logits - largest))
};

// probabilities = softmax(logits), one row of `c` numbers, written.
Normalizer softmax_row(const float* logits, std::int64_t c, float* probabilities) noexcept;

// x, y, dy, dx: rows x c
void softmax_forward(const float* x, std::int64_t rows, std::int64_t c, float* y) noexcept;
void softmax_backward(const float* dy, const float* y, std::int64_t rows, std::int64_t c,
                      float* dx) noexcept;

}  // namespace minicnn
