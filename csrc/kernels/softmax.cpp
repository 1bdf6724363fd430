#include "kernels/softmax.hpp"

#include <algorithm>
#include <cmath>

#include "core/blocks.hpp"
#include "kernels/activation/exponential.hpp"

namespace minicnn {
Normalizer softmax_row(const float* logits, std::int64_t c, float* probabilities) noexcept {
  const float max = c == 0 ? 0.0F : *std::max_element(logits, logits + c);
  double sum = 0.0;
  for (std::int64_t i = 0; i < c; ++i) {
    probabilities[i] = float(exponential(logits[i] - max));
    sum += double(probabilities[i]);
  }
  for (std::int64_t i = 0; i < c; ++i) probabilities[i] = float(double(probabilities[i]) / sum);
  return {max, std::log(sum)};
}

void softmax_forward(const float* x, std::int64_t rows, std::int64_t c, float* y) noexcept {
  parallel_rows(rows, c * kExponentialCost,
                [=](std::int64_t row, int) { softmax_row(x + row * c, c, y + row * c); });
}

void softmax_backward(const float* dy, const float* y, std::int64_t rows, std::int64_t c,
                      float* dx) noexcept {
  parallel_rows(rows, c, [=](std::int64_t row, int) {
    const std::int64_t begin = row * c, end = begin + c;
    double mean = 0.0;
    for (std::int64_t i = begin; i < end; ++i) mean += double(dy[i]) * double(y[i]);
    for (std::int64_t i = begin; i < end; ++i) dx[i] = y[i] * float(double(dy[i]) - mean);
  });
}

}  // namespace minicnn
