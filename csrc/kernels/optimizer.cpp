#include "kernels/optimizer.hpp"

#include <cmath>

#include "core/blocks.hpp"

namespace minicnn {
namespace {

struct Pair {
  float w, g;
};

// w[i] = next(i, w, g), where decayed(w[i], dw[i]) returns the weight and gradient.
template <class Decayed, class Next>
void move_all(const Weights& weights, Decayed decayed, Next next) {
  const auto [w, dw, size] = weights;
  for (std::int64_t i = 0; i < size; ++i) {
    const Pair pair = decayed(w[i], dw[i]);
    w[i] = next(i, pair.w, pair.g);
  }
}

// The same with weight decay: a loop for each kind, so that no loop has a branch.
template <class Next>
void move(const Weights& weights, float rate, const WeightDecay& decay, Next next) {
  const float factor = decay.factor, shrink = rate * decay.factor;
  if (factor == 0.0F) {
    move_all(weights, [](float w, float g) { return Pair{w, g}; }, next);
  } else if (decay.decoupled) {
    move_all(weights, [=](float w, float g) { return Pair{w - shrink * w, g}; }, next);
  } else {
    move_all(weights, [=](float w, float g) { return Pair{w, g + factor * w}; }, next);
  }
}

float* from(float* slot, std::int64_t first) { return slot == nullptr ? nullptr : slot + first; }

void follow(const Weights& weights, std::int64_t first, const Rates& rates,
            const WeightDecay& decay, const Sgd& sgd) {
  const float rate = rates.rate(), momentum = sgd.momentum;
  float* velocity = from(sgd.velocity, first);
  if (velocity == nullptr) {
    move(weights, rate, decay, [=](std::int64_t, float w, float g) { return w - rate * g; });
  } else if (sgd.nesterov) {
    move(weights, rate, decay, [=](std::int64_t i, float w, float g) {
      velocity[i] = momentum * velocity[i] - rate * g;
      return w + (momentum * velocity[i] - rate * g);
    });
  } else {
    move(weights, rate, decay, [=](std::int64_t i, float w, float g) {
      velocity[i] = momentum * velocity[i] - rate * g;
      return w + velocity[i];
    });
  }
}

void follow(const Weights& weights, std::int64_t begin, const Rates& rates,
            const WeightDecay& decay, const Adam& adam) {
  float *first = adam.first + begin, *second = adam.second + begin;
  const float step = rates.step(), epsilon = adam.epsilon;
  const float rest_1 = adam.rest_1, rest_2 = adam.rest_2;
  move(weights, rates.rate(), decay, [=](std::int64_t i, float w, float g) {
    first[i] += (g - first[i]) * rest_1;
    second[i] += (g * g - second[i]) * rest_2;
    return w - first[i] * step / (std::sqrt(second[i]) + epsilon);
  });
}

void follow(const Weights& weights, std::int64_t first, const Rates& rates,
            const WeightDecay& decay, const RmsProp& rmsprop) {
  float* square = rmsprop.square + first;
  float *velocity = from(rmsprop.velocity, first), *mean = from(rmsprop.mean, first);
  const float rho = rmsprop.rho, rest = rmsprop.rest;
  const float momentum = rmsprop.momentum, epsilon = rmsprop.epsilon, rate = rates.rate();
  const auto squared = [=](std::int64_t i, float g) {
    return square[i] = rho * square[i] + rest * g * g;
  };
  const auto centered = [=](std::int64_t i, float g) {
    mean[i] = rho * mean[i] + rest * g;
    return squared(i, g) - mean[i] * mean[i];
  };
  // variance(i, g) is `squared` or `centered`.
  const auto run = [=, &weights, &decay](auto variance) {
    const auto increment = [=](std::int64_t i, float g) {
      return rate * g / std::sqrt(variance(i, g) + epsilon);
    };
    if (velocity == nullptr) {
      move(weights, rate, decay,
           [=](std::int64_t i, float w, float g) { return w - increment(i, g); });
    } else {
      move(weights, rate, decay, [=](std::int64_t i, float w, float g) {
        velocity[i] = momentum * velocity[i] + increment(i, g);
        return w - velocity[i];
      });
    }
  };
  if (mean == nullptr) {
    run(squared);
  } else {
    run(centered);
  }
}

}  // namespace

void update_part(const Weights& part, std::int64_t first, const Optimizer& optimizer) noexcept {
  const auto& [rates, decay, any_rule] = optimizer;
  std::visit([&, &rates = rates,
              &decay = decay](const auto& rule) { follow(part, first, rates, decay, rule); },
             any_rule);
}

void update(const Weights& weights, const Optimizer& optimizer) noexcept {
  parallel_blocks(weights.size, [&](std::int64_t begin, std::int64_t end) {
    update_part({weights.w + begin, weights.dw + begin, end - begin}, begin, optimizer);
  });
}

}  // namespace minicnn
