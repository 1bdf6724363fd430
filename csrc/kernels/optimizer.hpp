#pragma once

#include <cstdint>

namespace minicnn {

// Each update works in place and rounds after every operation, in the order that the reference,
// minicnn/backends/numpy, writes them: the bits are the same.

// A weight array and its gradient.
struct Weights {
  float* w;
  const float* dw;
  std::int64_t size;
};

struct WeightDecay {
  float factor;    // 0: none
  bool decoupled;  // shrinks the weight itself, not by way of the gradient
};

// `rates`, (2,), may change between two runs: the learning rate, and Adam's step.
struct Rates {
  const float* rates;
  float multiplier;

  float rate() const { return rates[0] * multiplier; }
  float step() const { return rates[1] * multiplier; }
};

struct Sgd {
  float* velocity;  // null: no momentum
  float momentum;
  bool nesterov;
};
void sgd_update(const Weights& weights, const Rates& rates, const WeightDecay& decay,
                const Sgd& sgd) noexcept;

struct Adam {
  float *first, *second;
  float beta_1, beta_2, epsilon;
};
void adam_update(const Weights& weights, const Rates& rates, const WeightDecay& decay,
                 const Adam& adam) noexcept;

struct RmsProp {
  float* square;
  float* velocity;  // null: no momentum
  float* mean;      // null: not centred
  float rho, momentum, epsilon;
};
void rmsprop_update(const Weights& weights, const Rates& rates, const WeightDecay& decay,
                    const RmsProp& rmsprop) noexcept;

}  // namespace minicnn
