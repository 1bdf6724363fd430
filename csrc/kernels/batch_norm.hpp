#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/dropout.hpp"

namespace minicnn {

// An array of images or rows, seen as (rows, c) with the channels last. What there is per channel
// is (C,).
struct ChannelRows {
  std::int64_t rows, c;
};

// The arguments of training forward. `moments` (2, C), the means and variances of x, or null if
// they are not known yet. `mean` and `inverse_std` are written; the moving statistics are updated
// in place.
struct BatchNormTraining {
  const float *gamma, *beta;
  const double* moments;
  float *mean, *inverse_std, *moving_mean, *moving_variance;
  double momentum, epsilon;
};

// The statistics that the channels were normalized with.
struct BatchNormStatistics {
  const float *gamma, *mean, *inverse_std;
};

// The scratch of the training kernels and of inference backward, in bytes, aligned for double.
std::size_t batch_norm_scratch(const ChannelRows& size);

// `dropout`, if not null, is applied to y before it is written, and to dy on the way back.
void batch_norm_training_forward(const float* x, const ChannelRows& size,
                                 const BatchNormTraining& norm, const Dropout* dropout, float* y,
                                 char* scratch) noexcept;

// dx (rows, C), dgamma (C,) and dbeta (C,) are written; dx may be dy.
struct BatchNormGradients {
  float *dx, *dgamma, *dbeta;
};
void batch_norm_training_backward(const float* dy, const float* x, const ChannelRows& size,
                                  const BatchNormStatistics& norm, const Dropout* dropout,
                                  const BatchNormGradients& gradients, char* scratch) noexcept;

void batch_norm_inference_forward(const float* x, const ChannelRows& size,
                                  const BatchNormStatistics& norm, const float* beta,
                                  float* y) noexcept;
void batch_norm_inference_backward(const float* dy, const float* x, const ChannelRows& size,
                                   const BatchNormStatistics& norm,
                                   const BatchNormGradients& gradients, char* scratch) noexcept;

// inverse_std (C,) = 1 / sqrt(variance + epsilon).
void compute_inverse_std(const float* variance, std::int64_t c, float epsilon,
                         float* inverse_std) noexcept;

}  // namespace minicnn
