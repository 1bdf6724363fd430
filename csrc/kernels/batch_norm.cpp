#include "kernels/batch_norm.hpp"

#include <algorithm>
#include <cmath>

#include "core/blocks.hpp"
#include "kernels/loops/loops.hpp"
#include "kernels/moments.hpp"
#include "kernels/sum_rows.hpp"

namespace minicnn {
namespace {

constexpr std::int64_t kChannels = 64;    // at a time: their sums stay in the nearest cache
constexpr std::int64_t kFloatRows = 128;  // whose numbers are added in float32, in four sums

// Channels [first, first + count), one group of them.
struct Group {
  std::int64_t first, count;
};

template <class Body>
void for_groups(const Channels& size, Body body) {
  for (std::int64_t first = 0; first < size.c; first += kChannels) {
    body(Group{first, std::min(kChannels, size.c - first)});
  }
}

// Mean and variance, (C,), of pieces of rows, joined in their order; partials hold the moments of
// each piece and of the whole.
void mean_and_variance(const float* x, const Channels& size, double* mean, double* variance,
                       double* partials) {
  const std::int64_t c = size.c, piece = rows_of_piece(c), pieces = blocks_of(size.rows, piece);
  const auto part = [=](std::int64_t i) { return Moments(partials + i * Moments::size(c), c); };
  parallel_for(pieces, [=](std::int64_t i, int) {
    Moments its = part(i);
    its.clear();
    its.add(x + i * piece * c, std::min(piece, size.rows - i * piece), c);
  });
  Moments whole = part(pieces);
  whole.clear();
  for (std::int64_t i = 0; i < pieces; ++i) whole.join(part(i));
  whole.mean_and_variance(mean, variance);
}

// The same in float64 and in two passes: for numbers whose sums or squares overflow float32.
void wide_mean_and_variance(const float* x, const Channels& size, double* mean, double* variance,
                            double* partials) {
  const std::int64_t c = size.c;
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
  for (std::int64_t i = 0; i < c; ++i) mean[i] /= double(size.rows);
  sum_rows(size.rows, c, c, add_square, variance, partials);
  for (std::int64_t i = 0; i < c; ++i) variance[i] /= double(size.rows);
}

// dbeta and dgamma. With dropout, dx becomes the gradient in front of it.
void sum_gradients(const float* dy, const float* x, const Channels& size,
                   const BatchNormStatistics& norm, const Dropout* dropout,
                   const BatchNormGradients& gradients, char* scratch) {
  const std::int64_t c = size.c, piece = rows_of_piece(c), pieces = blocks_of(size.rows, piece);
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
      for_groups(size, [=](Group g) {
        float sum[kChannels], product[kChannels];
        const std::int64_t first = row * c + g.first;
        loops().gradient_sums({rows, c, g.count}, gradient + first, x + first, norm.mean + g.first,
                              norm.inverse_deviation + g.first, sum, product);
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

// y = gamma * x_hat + beta of one row.
void normalize(const float* x, std::int64_t c, const BatchNormStatistics& norm, const float* beta,
               float* y) {
  for (std::int64_t i = 0; i < c; ++i) {
    const float x_hat = (x[i] - norm.mean[i]) * norm.inverse_deviation[i];
    y[i] = norm.gamma[i] * x_hat + beta[i];
  }
}

}  // namespace

std::size_t batch_norm_scratch(const Channels& size) {
  const auto sums = std::size_t(2 * size.c);
  const auto pieces = partial_sums(size.rows, size.c, Moments::size(size.c));
  return (sums + pieces + std::size_t(Moments::size(size.c))) * sizeof(double);
}

void batch_norm_training_forward(const float* x, const Channels& size,
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
    wide_mean_and_variance(x, size, mean, variance, mean + 2 * c);
  }
  const auto kept = float(norm.momentum), taken = float(1.0 - norm.momentum);
  for (std::int64_t i = 0; i < c; ++i) {
    norm.mean[i] = float(mean[i]);
    norm.inverse_deviation[i] = float(1.0 / std::sqrt(variance[i] + norm.epsilon));
    norm.moving_mean[i] = norm.moving_mean[i] * kept + norm.mean[i] * taken;
    norm.moving_variance[i] = norm.moving_variance[i] * kept + float(variance[i]) * taken;
  }
  const BatchNormStatistics statistics{norm.gamma, norm.mean, norm.inverse_deviation};
  const auto rows = [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      normalize(x + row * c, c, statistics, norm.beta, y + row * c);
    }
    if (dropout != nullptr) dropout_piece(y, begin * c, end * c, *dropout, y);
  };
  parallel_blocks(size.rows, rows, rows_of_piece(c));
}

void batch_norm_training_backward(const float* dy, const float* x, const Channels& size,
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
      const float x_hat = (x[row * c + i] - norm.mean[i]) * norm.inverse_deviation[i];
      const float centered = gradient[row * c + i] - means[i];
      gradients.dx[row * c + i] =
          norm.gamma[i] * norm.inverse_deviation[i] * (centered - x_hat * means[c + i]);
    }
  });
}

void batch_norm_inference_forward(const float* x, const Channels& size,
                                  const BatchNormStatistics& norm, const float* beta,
                                  float* y) noexcept {
  const std::int64_t c = size.c;
  parallel_rows(size.rows, c,
                [=](std::int64_t row, int) { normalize(x + row * c, c, norm, beta, y + row * c); });
}

void batch_norm_inference_backward(const float* dy, const float* x, const Channels& size,
                                   const BatchNormStatistics& norm,
                                   const BatchNormGradients& gradients, char* scratch) noexcept {
  sum_gradients(dy, x, size, norm, nullptr, gradients, scratch);
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
