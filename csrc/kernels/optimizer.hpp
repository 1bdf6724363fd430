#pragma once

#include <cstdint>
#include <variant>

namespace minicnn {

// Each update works in place and rounds after every operation, in the order of the reference,
// minicnn/backends/numpy: so the bits are the same.

// A weight array and its gradient.
struct Weights {
  float* w;
  const float* dw;
  std::int64_t size;
};

struct WeightDecay {
  float factor;    // 0: none
  bool decoupled;  // shrinks the weight itself instead of changing the gradient
};

// `rates` (2,) holds the learning rate and the step size of Adam; it may change between two runs.
struct Rates {
  const float* rates;
  float multiplier;

  float rate() const { return rates[0] * multiplier; }
  float step() const { return rates[1] * multiplier; }
};

// The rules, with their slots: arrays with one value per weight.
struct Sgd {
  float* velocity;  // null: no momentum
  float momentum;
  bool nesterov;
};

struct Adam {
  float *first, *second;
  float rest_1, rest_2;  // 1 - beta_1 and 1 - beta_2, each rounded once
  float epsilon;
};

struct RmsProp {
  float* square;
  float* velocity;  // null: no momentum
  float* mean;      // null: not centered
  float rho, rest;  // rest: 1 - rho, rounded once
  float momentum, epsilon;
};

struct Optimizer {
  Rates rates;
  WeightDecay decay;
  std::variant<Sgd, Adam, RmsProp> rule;
};

// Updates all weights, on all threads.
void update(const Weights& weights, const Optimizer& optimizer) noexcept;

// Updates some of the weights on the calling thread alone; `first` is the index of part.w[0].
void update_part(const Weights& part, std::int64_t first, const Optimizer& optimizer) noexcept;

}  // namespace minicnn
