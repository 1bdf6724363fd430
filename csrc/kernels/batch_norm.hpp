#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/dropout.hpp"

namespace minicnn {

// An array of images or rows, channels last: `rows` x `c`. Everything a channel has one of is (C,).
struct Channels {
  std::int64_t rows, c;
};

// What training forward works with. `moments` (2, C), the means and variances of x, if they are
// known, else null. `mean` and `inverse_deviation` are written, the moving
// statistics updated in place.
struct BatchNormTraining {
  const float *gamma, *beta;
  const double* moments;
  float *mean, *inverse_deviation, *moving_mean, *moving_variance;
  double momentum, epsilon;
};

// The statistics that a channel was normalized with.
struct BatchNormStatistics {
  const float *gamma, *mean, *inverse_deviation;
};

// Scratch of the training kernels and of inference backward, in bytes, aligned for double.
std::size_t batch_norm_scratch(const Channels& size);

// `dropout`: what y goes through before it is written, and dy on its way back; null for nothing.
void batch_norm_training_forward(const float* x, const Channels& size,
                                 const BatchNormTraining& norm, const Dropout* dropout, float* y,
                                 char* scratch) noexcept;

// dx (rows, C), dgamma and dbeta (C,) are written; dx may be dy.
struct BatchNormGradients {
  float *dx, *dgamma, *dbeta;
};
void batch_norm_training_backward(const float* dy, const float* x, const Channels& size,
                                  const BatchNormStatistics& norm, const Dropout* dropout,
                                  const BatchNormGradients& gradients, char* scratch) noexcept;

void batch_norm_inference_forward(const float* x, const Channels& size,
                                  const BatchNormStatistics& norm, const float* beta,
                                  float* y) noexcept;
void batch_norm_inference_backward(const float* dy, const float* x, const Channels& size,
                                   const BatchNormStatistics& norm,
                                   const BatchNormGradients& gradients, char* scratch) noexcept;

// inverse_deviation = 1 / sqrt(variance + epsilon), written; both (C,).
void inverse_deviations(const float* variance, std::int64_t c, float epsilon,
                        float* inverse_deviation) noexcept;

}  // namespace minicnn
