#include "kernels/logits_loss.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/blocks.hpp"
#include "kernels/sigmoid.hpp"
#include "kernels/softmax.hpp"

namespace minicnn {
namespace {

constexpr std::int64_t kExponential = 8;  // one costs about as much as 8 floats read
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

template <class Truth>
void softmax_forward_of(const float* logits, const Truth& truth, std::int64_t rows, float* loss,
                        float* probabilities) {
  const std::int64_t c = truth.c;
  parallel_rows(rows, c * kExponential, [&](std::int64_t row, int) {
    const float* z = logits + row * c;
    const Normalizer normalizer = softmax_row(z, c, probabilities + row * c);
    double sum = 0.0;
    for (std::int64_t i = 0; i < c; ++i) {
      // A class that is not asked for adds nothing, even where its log-probability is -inf.
      const double t = double(truth(row, i));
      if (t != 0.0) sum -= t * (double(z[i] - normalizer.largest) - normalizer.log_sum);
    }
    loss[row] = truth.valid(row) ? float(sum) : kNaN;
  });
}

template <class Truth>
void softmax_backward_of(const float* dloss, const float* probabilities, const Truth& truth,
                         std::int64_t rows, float* dlogits) {
  const std::int64_t c = truth.c;
  parallel_rows(rows, c, [&](std::int64_t row, int) {
    const float* p = probabilities + row * c;
    float* dz = dlogits + row * c;
    if (!truth.valid(row)) {
      std::fill_n(dz, c, 0.0F);
      return;
    }
    double total = 0.0;
    for (std::int64_t i = 0; i < c; ++i) total += double(truth(row, i));
    for (std::int64_t i = 0; i < c; ++i) {
      dz[i] = dloss[row] * (p[i] * float(total) - truth(row, i));
    }
  });
}

}  // namespace

void softmax_crossentropy_forward(const float* logits, const DenseTruth& truth, std::int64_t rows,
                                  float* loss, float* probabilities) noexcept {
  softmax_forward_of(logits, truth, rows, loss, probabilities);
}

void softmax_crossentropy_forward(const float* logits, const SparseTruth& truth, std::int64_t rows,
                                  float* loss, float* probabilities) noexcept {
  softmax_forward_of(logits, truth, rows, loss, probabilities);
}

void softmax_crossentropy_backward(const float* dloss, const float* probabilities,
                                   const DenseTruth& truth, std::int64_t rows,
                                   float* dlogits) noexcept {
  softmax_backward_of(dloss, probabilities, truth, rows, dlogits);
}

void softmax_crossentropy_backward(const float* dloss, const float* probabilities,
                                   const SparseTruth& truth, std::int64_t rows,
                                   float* dlogits) noexcept {
  softmax_backward_of(dloss, probabilities, truth, rows, dlogits);
}

void sigmoid_binary_crossentropy_forward(const float* logits, const DenseTruth& truth,
                                         std::int64_t rows, float* loss,
                                         float* probabilities) noexcept {
  const std::int64_t c = truth.c;
  parallel_rows(rows, c * kExponential, [&](std::int64_t row, int) {
    double sum = 0.0;
    for (std::int64_t i = 0; i < c; ++i) {
      const float z = logits[row * c + i];
      const float largest = z <= 0.0F ? 0.0F : z;
      sum += double(largest - z * truth(row, i) + std::log1p(std::exp(-std::fabs(z))));
      probabilities[row * c + i] = sigmoid(z);
    }
    loss[row] = float(sum / double(c));
  });
}

void sigmoid_binary_crossentropy_backward(const float* dloss, const float* probabilities,
                                          const DenseTruth& truth, std::int64_t rows,
                                          float* dlogits) noexcept {
  const std::int64_t c = truth.c;
  parallel_rows(rows, c, [&](std::int64_t row, int) {
    for (std::int64_t i = 0; i < c; ++i) {
      const float difference = probabilities[row * c + i] - truth(row, i);
      dlogits[row * c + i] = dloss[row] * difference / float(c);
    }
  });
}

}  // namespace minicnn
