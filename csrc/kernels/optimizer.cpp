#include "kernels/optimizer.hpp"

#include <cmath>

#include "core/blocks.hpp"

namespace minicnn {
namespace {

// w[i] = next(i, w, g) with the weight and the gradient after weight decay has had its part.
template <class Next>
void update(const Weights& weights, float rate, const WeightDecay& decay, Next next) noexcept {
  const auto [w, dw, size] = weights;
  const float factor = decay.factor, shrink = rate * decay.factor;
  parallel_blocks(size, [=, w = w, dw = dw](std::int64_t begin, std::int64_t end) {
    if (factor == 0.0F) {
      for (std::int64_t i = begin; i < end; ++i) w[i] = next(i, w[i], dw[i]);
    } else if (decay.decoupled) {
      for (std::int64_t i = begin; i < end; ++i) w[i] = next(i, w[i] - shrink * w[i], dw[i]);
    } else {
      for (std::int64_t i = begin; i < end; ++i) w[i] = next(i, w[i], dw[i] + factor * w[i]);
    }
  });
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
  update(weights, rate, decay,
         [=, square = square, velocity = velocity, mean = mean, rho = rho, momentum = momentum,
          epsilon = epsilon](std::int64_t i, float w, float g) {
           square[i] = rho * square[i] + rest * g * g;
           float variance = square[i];
           if (mean != nullptr) {
             mean[i] = rho * mean[i] + rest * g;
             variance = square[i] - mean[i] * mean[i];
           }
           const float increment = rate * g / std::sqrt(variance + epsilon);
           if (velocity == nullptr) return w - increment;
           velocity[i] = momentum * velocity[i] + increment;
           return w - velocity[i];
         });
}

}  // namespace minicnn
