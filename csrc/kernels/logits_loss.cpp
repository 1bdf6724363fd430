#include "kernels/logits_loss.hpp"

#include <algorithm>

#include "core/blocks.hpp"
#include "kernels/activation/exponential.hpp"
#include "kernels/activation/sigmoid.hpp"
#include "kernels/softmax.hpp"

namespace minicnn {
namespace {

constexpr std::int64_t kPiece =
    64;  // logits of a row whose terms are computed before they are added

template <class Targets>
void softmax_forward_of(const float* logits, const Targets& targets, std::int64_t rows, float* loss,
                        float* probabilities) {
  const std::int64_t c = targets.c;
  parallel_rows(rows, c * kExponentialCost, [&](std::int64_t row, int) {
    const float* z = logits + row * c;
    const Normalizer normalizer = softmax_row(z, c, probabilities + row * c);
    double sum = 0.0;
    for (std::int64_t i = 0; i < c; ++i) {
      // A class with a target of 0 adds nothing, even if its log-probability is -inf.
      const double t = double(targets(row, i));
      if (t != 0.0) sum -= t * (double(z[i] - normalizer.max) - normalizer.log_sum);
    }
    loss[row] = loss_of_row(targets, row, sum);
  });
}

template <class Targets>
void softmax_backward_of(const float* dloss, const float* probabilities, const Targets& targets,
                         std::int64_t rows, float* dlogits) {
  const std::int64_t c = targets.c;
  parallel_rows(rows, c, [&](std::int64_t row, int) {
    const float* p = probabilities + row * c;
    float* dz = dlogits + row * c;
    if (clear_if_invalid(targets, row, dz)) return;
    double total = 0.0;
    for (std::int64_t i = 0; i < c; ++i) total += double(targets(row, i));
    for (std::int64_t i = 0; i < c; ++i) {
      dz[i] = dloss[row] * (p[i] * float(total) - targets(row, i));
    }
  });
}

}  // namespace

void softmax_crossentropy_forward(const float* logits, const DenseTargets& targets,
                                  std::int64_t rows, float* loss, float* probabilities) noexcept {
  softmax_forward_of(logits, targets, rows, loss, probabilities);
}

void softmax_crossentropy_forward(const float* logits, const SparseTargets& targets,
                                  std::int64_t rows, float* loss, float* probabilities) noexcept {
  softmax_forward_of(logits, targets, rows, loss, probabilities);
}

void softmax_crossentropy_backward(const float* dloss, const float* probabilities,
                                   const DenseTargets& targets, std::int64_t rows,
                                   float* dlogits) noexcept {
  softmax_backward_of(dloss, probabilities, targets, rows, dlogits);
}

void softmax_crossentropy_backward(const float* dloss, const float* probabilities,
                                   const SparseTargets& targets, std::int64_t rows,
                                   float* dlogits) noexcept {
  softmax_backward_of(dloss, probabilities, targets, rows, dlogits);
}

void sigmoid_binary_crossentropy_forward(const float* logits, const DenseTargets& targets,
                                         std::int64_t rows, float* loss,
                                         float* probabilities) noexcept {
  const std::int64_t c = targets.c;
  parallel_rows(rows, c * kExponentialCost, [&](std::int64_t row, int) {
    double sum = 0.0;
    for (std::int64_t begin = 0; begin < c; begin += kPiece) {
      const std::int64_t count = std::min(kPiece, c - begin);
      const float* z = logits + row * c + begin;
      double softplus[kPiece];  // log(1 + e^z), in a loop that computes several at once
      for (std::int64_t i = 0; i < count; ++i) {
        softplus[i] = (z[i] <= 0.0F ? 0.0 : double(z[i])) + log_1_plus_exponential(double(z[i]));
        probabilities[row * c + begin + i] = sigmoid(z[i]);
      }
      for (std::int64_t i = 0; i < count; ++i) {
        sum += softplus[i] - double(z[i]) * double(targets(row, begin + i));
      }
    }
    loss[row] = float(sum / double(c));
  });
}

void sigmoid_binary_crossentropy_backward(const float* dloss, const float* probabilities,
                                          const DenseTargets& targets, std::int64_t rows,
                                          float* dlogits) noexcept {
  const std::int64_t c = targets.c;
  parallel_rows(rows, c, [&](std::int64_t row, int) {
    for (std::int64_t i = 0; i < c; ++i) {
      const float difference = probabilities[row * c + i] - targets(row, i);
      dlogits[row * c + i] = dloss[row] * difference / float(c);
    }
  });
}

}  // namespace minicnn
