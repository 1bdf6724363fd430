#include "kernels/optimizer.hpp"

#include <cmath>

#include "core/blocks.hpp"

namespace minicnn {
namespace {

struct Pair {
  float w, g;
};

// w[i] = next(i, w, g) with the weight and the gradient that decayed(w[i], dw[i]) gives.
template <class Decayed, class Next>
void update_all(const Weights& weights, Decayed decayed, Next next) noexcept {
  const auto [w, dw, size] = weights;
  parallel_blocks(size, [=, w = w, dw = dw](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const Pair pair = decayed(w[i], dw[i]);
      w[i] = next(i, pair.w, pair.g);
    }
  });
}

// The same with weight decay: a loop for each kind, so that none has a branch.
template <class Next>
void update(const Weights& weights, float rate, const WeightDecay& decay, Next next) noexcept {
  const float factor = decay.factor, shrink = rate * decay.factor;
  if (factor == 0.0F) {
    update_all(weights, [](float w, float g) { return Pair{w, g}; }, next);
  } else if (decay.decoupled) {
    update_all(weights, [=](float w, float g) { return Pair{w - shrink * w, g}; }, next);
  } else {
    update_all(weights, [=](float w, float g) { return Pair{w, g + factor * w}; }, next);
  }
}

}  // namespace

void sgd_update(const Weights& weights, const Rates& rates, const WeightDecay& decay,
                const Sgd& sgd) noexcept {
  const float rate = rates.rate(), momentum = sgd.momentum;
  float* velocity = sgd.velocity;
  if (velocity == nullptr) {
    update(weights, rate, decay, [=](std::int64_t, float w, float g) { return w - rate * g; });
  } else if (sgd.nesterov) {
    update(weights, rate, decay, [=](std::int64_t i, float w, float g) {
      velocity[i] = momentum * velocity[i] - rate * g;
      return w + (momentum * velocity[i] - rate * g);
    });
  } else {
    update(weights, rate, decay, [=](std::int64_t i, float w, float g) {
      velocity[i] = momentum * velocity[i] - rate * g;
      return w + velocity[i];
    });
  }
}

void adam_update(const Weights& weights, const Rates& rates, const WeightDecay& decay,
                 const Adam& adam) noexcept {
  const auto [first, second, beta_1, beta_2, epsilon] = adam;
  const float step = rates.step(), rest_1 = 1.0F - beta_1, rest_2 = 1.0F - beta_2;
  update(weights, rates.rate(), decay,
         [=, first = first, second = second, epsilon = epsilon](std::int64_t i, float w, float g) {
           first[i] += (g - first[i]) * rest_1;
           second[i] += (g * g - second[i]) * rest_2;
           return w - first[i] * step / (std::sqrt(second[i]) + epsilon);
         });
}

void rmsprop_update(const Weights& weights, const Rates& rates, const WeightDecay& decay,
                    const RmsProp& rmsprop) noexcept {
  const auto [square, velocity, mean, rho, momentum, epsilon] = rmsprop;
  const float rate = rates.rate(), rest = 1.0F - rho;
  const auto squared = [=, square = square, rho = rho](std::int64_t i, float g) {
    return square[i] = rho * square[i] + rest * g * g;
  };
  const auto centred = [=, mean = mean, rho = rho](std::int64_t i, float g) {
    mean[i] = rho * mean[i] + rest * g;
    return squared(i, g) - mean[i] * mean[i];
  };
  // variance(i, g), one of the two, with or without momentum
  const auto run = [=, &weights, &decay, velocity = velocity, momentum = momentum,
                    epsilon = epsilon](auto variance) {
    const auto increment = [=](std::int64_t i, float g) {
      return rate * g / std::sqrt(variance(i, g) + epsilon);
    };
    if (velocity == nullptr) {
      update(weights, rate, decay,
             [=](std::int64_t i, float w, float g) { return w - increment(i, g); });
    } else {
      update(weights, rate, decay, [=](std::int64_t i, float w, float g) {
        velocity[i] = momentum * velocity[i] + increment(i, g);
        return w - velocity[i];
      });
    }
  };
  if (mean == nullptr) {
    run(squared);
  } else {
    run(centred);
  }
}

}  // namespace minicnn
