#include "kernels/batch_norm.hpp"

#include <algorithm>
#include <cmath>

#include "core/blocks.hpp"
#include "kernels/moments.hpp"
#include "kernels/simd_loops/simd_loops.hpp"
#include "kernels/sum_rows.hpp"

namespace minicnn {
namespace {

constexpr std::int64_t kChannels = 64;    // at a time: their sums stay in the L1 cache
constexpr std::int64_t kFloatRows = 128;  // summed in float32, in four partial sums

// The channels [first, first + count).
struct ChannelGroup {
  std::int64_t first, count;
};

template <class Body>
void for_groups(const ChannelRows& size, Body body) {
  for (std::int64_t first = 0; first < size.c; first += kChannels) {
    body(ChannelGroup{first, std::min(kChannels, size.c - first)});
  }
}

// Computes mean and variance, (C,), of blocks of rows, merged in their order. `partials` holds the
// moments of each block and of the whole.
void mean_and_variance(const float* x, const ChannelRows& size, double* mean, double* variance,
                       double* partials) {
  const std::int64_t c = size.c, piece = rows_of_piece(c), pieces = ceil_div(size.rows, piece);
  const auto part = [=](std::int64_t i) { return Moments(partials + i * Moments::size(c), c); };
  parallel_for(pieces, [=](std::int64_t i, int) {
    Moments moments = part(i);
    moments.clear();
    moments.add(x + i * piece * c, std::min(piece, size.rows - i * piece), c);
  });
  Moments whole = part(pieces);
  whole.clear();
  for (std::int64_t i = 0; i < pieces; ++i) whole.merge(part(i));
  whole.mean_and_variance(mean, variance);
}

// The same in float64 and in two passes, for values whose sums or squares overflow float32.
void float64_mean_and_variance(const float* x, const ChannelRows& size, double* mean,
                               double* variance, double* partials) {
  const std::int64_t c = size.c;
  const auto add_value = [=](std::int64_t row, double* sum) {
    for (std::int64_t i = 0; i < c; ++i) sum[i] += double(x[row * c + i]);
  };
  const auto add_square = [=](std::int64_t row, double* sum) {
    for (std::int64_t i = 0; i < c; ++i) {
      const double difference = double(x[row * c + i]) - mean[i];
      sum[i] += difference * difference;
    }
  };
  sum_rows(size.rows, c, c, add_value, mean, partials);
  for (std::int64_t i = 0; i < c; ++i) mean[i] /= double(size.rows);
  sum_rows(size.rows, c, c, add_square, variance, partials);
  for (std::int64_t i = 0; i < c; ++i) variance[i] /= double(size.rows);
}

// Computes dbeta and dgamma. With dropout, dx becomes the gradient before the dropout.
void sum_gradients(const float* dy, const float* x, const ChannelRows& size,
                   const BatchNormStatistics& norm, const Dropout* dropout,
                   const BatchNormGradients& gradients, char* scratch) {
  const std::int64_t c = size.c, piece = rows_of_piece(c), pieces = ceil_div(size.rows, piece);
  auto* sums = reinterpret_cast<double*>(scratch);
  double* partials = sums + 2 * c;
  const float* gradient = dropout == nullptr ? dy : gradients.dx;
  parallel_for(pieces, [=](std::int64_t i, int) {
    double* part = partials + 2 * i * c;
    std::fill_n(part, 2 * c, 0.0);
    const std::int64_t end = std::min(size.rows, (i + 1) * piece);
    for (std::int64_t row = i * piece; row < end; row += kFloatRows) {
      const std::int64_t rows = std::min(kFloatRows, end - row);
      if (dropout != nullptr) {
        dropout_piece(dy, row * c, (row + rows) * c, *dropout, gradients.dx);
      }
      for_groups(size, [=](ChannelGroup g) {
        float sum[kChannels], product[kChannels];
        const std::int64_t first = row * c + g.first;
        simd_loops().gradient_sums({rows, c, g.count}, gradient + first, x + first,
                                   norm.mean + g.first, norm.inverse_std + g.first, sum, product);
        for (std::int64_t j = 0; j < g.count; ++j) part[g.first + j] += double(sum[j]);
        for (std::int64_t j = 0; j < g.count; ++j) part[c + g.first + j] += double(product[j]);
      });
    }
  });
  std::fill_n(sums, 2 * c, 0.0);
  for (std::int64_t i = 0; i < pieces; ++i) {
    for (std::int64_t j = 0; j < 2 * c; ++j) sums[j] += partials[2 * i * c + j];
  }
  for (std::int64_t i = 0; i < c; ++i) {
    gradients.dbeta[i] = float(sums[i]);
    gradients.dgamma[i] = float(sums[c + i]);
  }
}

// y = gamma * x_hat + beta for one row.
void normalize(const float* x, std::int64_t c, const BatchNormStatistics& norm, const float* beta,
               float* y) {
  for (std::int64_t i = 0; i < c; ++i) {
    const float x_hat = (x[i] - norm.mean[i]) * norm.inverse_std[i];
    y[i] = norm.gamma[i] * x_hat + beta[i];
  }
}

}  // namespace

std::size_t batch_norm_scratch(const ChannelRows& size) {
  const auto sums = std::size_t(2 * size.c);
  const auto pieces = partial_sums(size.rows, size.c, Moments::size(size.c));
  return (sums + pieces + std::size_t(Moments::size(size.c))) * sizeof(double);
}

void batch_norm_training_forward(const float* x, const ChannelRows& size,
                                 const BatchNormTraining& norm, const Dropout* dropout, float* y,
                                 char* scratch) noexcept {
  const std::int64_t c = size.c;
  auto* mean = reinterpret_cast<double*>(scratch);
  double* variance = mean + c;
  if (norm.moments == nullptr) {
    mean_and_variance(x, size, mean, variance, mean + 2 * c);
  } else {
    std::copy_n(norm.moments, 2 * c, mean);
  }
  const auto finite = [](double v) { return std::isfinite(v); };
  if (!std::all_of(mean, mean + 2 * c, finite)) {
    float64_mean_and_variance(x, size, mean, variance, mean + 2 * c);
  }
  const auto momentum = float(norm.momentum), rest = float(1.0 - norm.momentum);
  for (std::int64_t i = 0; i < c; ++i) {
    norm.mean[i] = float(mean[i]);
    norm.inverse_std[i] = float(1.0 / std::sqrt(variance[i] + norm.epsilon));
    norm.moving_mean[i] = norm.moving_mean[i] * momentum + norm.mean[i] * rest;
    norm.moving_variance[i] = norm.moving_variance[i] * momentum + float(variance[i]) * rest;
  }
  const BatchNormStatistics statistics{norm.gamma, norm.mean, norm.inverse_std};
  const auto rows = [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      normalize(x + row * c, c, statistics, norm.beta, y + row * c);
    }
    if (dropout != nullptr) dropout_piece(y, begin * c, end * c, *dropout, y);
  };
  parallel_blocks(size.rows, rows, rows_of_piece(c));
}

void batch_norm_training_backward(const float* dy, const float* x, const ChannelRows& size,
                                  const BatchNormStatistics& norm, const Dropout* dropout,
                                  const BatchNormGradients& gradients, char* scratch) noexcept {
  sum_gradients(dy, x, size, norm, dropout, gradients, scratch);
  const std::int64_t c = size.c;
  const auto m = float(size.rows);
  auto* means = reinterpret_cast<float*>(scratch);  // of dy, and of dy * x_hat
  for (std::int64_t i = 0; i < c; ++i) means[i] = gradients.dbeta[i] / m;
  for (std::int64_t i = 0; i < c; ++i) means[c + i] = gradients.dgamma[i] / m;
  const float* gradient = dropout == nullptr ? dy : gradients.dx;
  parallel_rows(size.rows, c, [=](std::int64_t row, int) {
    for (std::int64_t i = 0; i < c; ++i) {
      const float x_hat = (x[row * c + i] - norm.mean[i]) * norm.inverse_std[i];
      const float centered = gradient[row * c + i] - means[i];
      gradients.dx[row * c + i] =
          norm.gamma[i] * norm.inverse_std[i] * (centered - x_hat * means[c + i]);
    }
  });
}

void batch_norm_inference_forward(const float* x, const ChannelRows& size,
                                  const BatchNormStatistics& norm, const float* beta,
                                  float* y) noexcept {
  const std::int64_t c = size.c;
  parallel_rows(size.rows, c,
                [=](std::int64_t row, int) { normalize(x + row * c, c, norm, beta, y + row * c); });
}

void batch_norm_inference_backward(const float* dy, const float* x, const ChannelRows& size,
                                   const BatchNormStatistics& norm,
                                   const BatchNormGradients& gradients, char* scratch) noexcept {
  sum_gradients(dy, x, size, norm, nullptr, gradients, scratch);
  const std::int64_t c = size.c;
  parallel_rows(size.rows, c, [=](std::int64_t row, int) {
    for (std::int64_t i = 0; i < c; ++i) {
      const float scale = norm.gamma[i] * norm.inverse_std[i];
      gradients.dx[row * c + i] = scale * dy[row * c + i];
    }
  });
}

void compute_inverse_std(const float* variance, std::int64_t c, float epsilon,
                         float* inverse_std) noexcept {
  for (std::int64_t i = 0; i < c; ++i) {
    inverse_std[i] = 1.0F / std::sqrt(variance[i] + epsilon);
  }
}

}  // namespace minicnn
