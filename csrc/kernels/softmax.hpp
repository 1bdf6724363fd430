#pragma once

#include <cstdint>

namespace minicnn {

// One row of `c` numbers: probabilities = softmax(logits), written; returns log of the sum of
// e^logits, so that log-probabilities are logits minus it.
struct Normalizer {
  float largest;   // of the logits; 0 for an empty row
  double log_sum;  // log(sum of e^(logits - largest))
};
Normalizer softmax_row(const float* logits, std::int64_t c, float* probabilities) noexcept;

// x, y, dy, dx: rows x c
void softmax_forward(const float* x, std::int64_t rows, std::int64_t c, float* y) noexcept;
void softmax_backward(const float* dy, const float* y, std::int64_t rows, std::int64_t c,
                      float* dx) noexcept;

}  // namespace minicnn
