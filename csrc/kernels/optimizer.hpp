#pragma once

#include <cstdint>

#include "kernels/optimizer_rules.hpp"

namespace minicnn {

// A weight array and its gradient, updated in place.
struct Weights {
  float* w;
  const float* dw;
  std::int64_t size;
};

struct WeightDecay {
  float factor;    // 0: none
  bool decoupled;  // shrinks the weight itself instead of changing the gradient
};

// `rates` holds the learning rate and the step size of Adam, or what else the rule is given for
// each step; it may change between two runs.
struct Rates {
  const float* rates;
  float multiplier;

  float rate() const { return rates[0] * multiplier; }
  float step() const { return rates[1] * multiplier; }
  float given(std::int64_t i) const { return rates[i]; }
};

struct Optimizer {
  Rates rates;
  WeightDecay decay;
  OptimizerRule rule;
};

// Updates all weights, with all threads.
void update(const Weights& weights, const Optimizer& optimizer) noexcept;

// Updates some of them on the calling thread; `first` is the index of part.w[0] in the whole array.
void update_part(const Weights& part, std::int64_t first, const Optimizer& optimizer) noexcept;

}  // namespace minicnn
