#include "kernels/batch_norm.hpp"

#include <cmath>

#include "core/blocks.hpp"
#include "kernels/sum_rows.hpp"

namespace minicnn {
namespace {

// dbeta and dgamma; two sums a channel.
void sum_gradients(const float* dy, const float* x, const Channels& size,
                   const BatchNormStatistics& norm, const BatchNormGradients& gradients,
                   char* scratch) {
  const std::int64_t c = size.c;
  auto* sums = reinterpret_cast<double*>(scratch);
  const auto add_row = [=](std::int64_t row, double* sum) {
    for (std::int64_t i = 0; i < c; ++i) sum[i] += double(dy[row * c + i]);
    for (std::int64_t i = 0; i < c; ++i) {
      const float x_hat = (x[row * c + i] - norm.mean[i]) * norm.inverse_deviation[i];
      sum[c + i] += double(dy[row * c + i]) * double(x_hat);
    }
  };
  sum_rows(size.rows, c, 2 * c, add_row, sums, sums + 2 * c);
  for (std::int64_t i = 0; i < c; ++i) {
    gradients.dbeta[i] = float(sums[i]);
    gradients.dgamma[i] = float(sums[c + i]);
  }
}

}  // namespace

std::size_t batch_norm_scratch(const Channels& size) {
  const auto sums = std::size_t(2 * size.c);
  return (sums + partial_sums(size.rows, size.c, 2 * size.c)) * sizeof(double);
}

// Two passes: a mean and then squares of deviations from it, so that a small variance survives a
// large mean.
void batch_norm_training_forward(const float* x, const Channels& size,
                                 const BatchNormTraining& norm, float* y, char* scratch) noexcept {
  const std::int64_t c = size.c;
  const double count = size.rows == 0 ? 1.0 : double(size.rows);
  auto* mean = reinterpret_cast<double*>(scratch);
  double *variance = mean + c, *partials = mean + 2 * c;
  const auto add_number = [=](std::int64_t row, double* sum) {
    for (std::int64_t i = 0; i < c; ++i) sum[i] += double(x[row * c + i]);
  };
  const auto add_square = [=](std::int64_t row, double* sum) {
    for (std::int64_t i = 0; i < c; ++i) {
      const double deviation = double(x[row * c + i]) - mean[i];
      sum[i] += deviation * deviation;
    }
  };
  sum_rows(size.rows, c, c, add_number, mean, partials);
  for (std::int64_t i = 0; i < c; ++i) mean[i] /= count;
  sum_rows(size.rows, c, c, add_square, variance, partials);

  const auto kept = float(norm.momentum), taken = float(1.0 - norm.momentum);
  for (std::int64_t i = 0; i < c; ++i) {
    variance[i] /= count;
    norm.mean[i] = float(mean[i]);
    norm.inverse_deviation[i] = float(1.0 / std::sqrt(variance[i] + norm.epsilon));
    norm.moving_mean[i] = norm.moving_mean[i] * kept + norm.mean[i] * taken;
    norm.moving_variance[i] = norm.moving_variance[i] * kept + float(variance[i]) * taken;
  }
  const BatchNormStatistics statistics{norm.gamma, norm.mean, norm.inverse_deviation};
  batch_norm_inference_forward(x, size, statistics, norm.beta, y);
}

void batch_norm_training_backward(const float* dy, const float* x, const Channels& size,
                                  const BatchNormStatistics& norm,
                                  const BatchNormGradients& gradients, char* scratch) noexcept {
  sum_gradients(dy, x, size, norm, gradients, scratch);
  const std::int64_t c = size.c;
  const auto m = float(size.rows);
  parallel_rows(size.rows, c, [=](std::int64_t row, int) {
    for (std::int64_t i = 0; i < c; ++i) {
      const float x_hat = (x[row * c + i] - norm.mean[i]) * norm.inverse_deviation[i];
      const float centred = dy[row * c + i] - gradients.dbeta[i] / m;
      gradients.dx[row * c + i] =
          norm.gamma[i] * norm.inverse_deviation[i] * (centred - x_hat * (gradients.dgamma[i] / m));
    }
  });
}

void batch_norm_inference_forward(const float* x, const Channels& size,
                                  const BatchNormStatistics& norm, const float* beta,
                                  float* y) noexcept {
  const std::int64_t c = size.c;
  parallel_rows(size.rows, c, [=](std::int64_t row, int) {
    for (std::int64_t i = 0; i < c; ++i) {
      const float x_hat = (x[row * c + i] - norm.mean[i]) * norm.inverse_deviation[i];
      y[row * c + i] = norm.gamma[i] * x_hat + beta[i];
    }
  });
}

void batch_norm_inference_backward(const float* dy, const float* x, const Channels& size,
                                   const BatchNormStatistics& norm,
                                   const BatchNormGradients& gradients, char* scratch) noexcept {
  sum_gradients(dy, x, size, norm, gradients, scratch);
  const std::int64_t c = size.c;
  parallel_rows(size.rows, c, [=](std::int64_t row, int) {
    for (std::int64_t i = 0; i < c; ++i) {
      const float scale = norm.gamma[i] * norm.inverse_deviation[i];
      gradients.dx[row * c + i] = scale * dy[row * c + i];
    }
  });
}

void inverse_deviations(const float* variance, std::int64_t c, float epsilon,
                        float* inverse_deviation) noexcept {
  for (std::int64_t i = 0; i < c; ++i) {
    inverse_deviation[i] = 1.0F / std::sqrt(variance[i] + epsilon);
  }
}

}  // namespace minicnn
