#pragma once

#include <cmath>
#include <cstdint>
#include <variant>

namespace minicnn {

// The optimizers' rules: how a weight w follows its gradient g. Each rule is a struct with
//
//   kUpdate, kDenseUpdate   the names of its kernels; the second is fused with a dense gradient
//   kSlots                  the number of arrays that it keeps, each as large as the weights
//   from(arguments)         makes the rule of one call: from its slots, in the order of the
//                           kernel's contract, and its constants, by the names of the kernel's
//                           attributes
//   move(weights)           the formula: weights.each(next) sets w[i] = next(i, w, g)
//
// and an entry in OptimizerRule, the list at the end of this file. Nothing else has to be changed
// for a new rule. A rule rounds after every operation, in the order of the reference,
// minicnn/backends/numpy/optimizers.py: so the bits are the same.

struct Sgd {
  static constexpr const char* kUpdate = "sgd_update";
  static constexpr const char* kDenseUpdate = "dense_sgd_update";
  static constexpr std::size_t kSlots = 1;

  float* velocity;  // null: no momentum
  float momentum;
  bool nesterov;

  template <class Arguments>
  static Sgd from(Arguments& call) {
    return {call.optional_slot(0), call.number("momentum"), call.flag("nesterov")};
  }

  template <class Weights>
  void move(const Weights& weights) const {
    const float rate = weights.rate(), mu = momentum;
    float* v = weights.part(velocity);
    if (v == nullptr) {
      weights.each([=](std::int64_t, float w, float g) { return w - rate * g; });
    } else if (nesterov) {
      weights.each([=](std::int64_t i, float w, float g) {
        v[i] = mu * v[i] - rate * g;
        return w + (mu * v[i] - rate * g);
      });
    } else {
      weights.each([=](std::int64_t i, float w, float g) {
        v[i] = mu * v[i] - rate * g;
        return w + v[i];
      });
    }
  }
};

struct Adam {
  static constexpr const char* kUpdate = "adam_update";
  static constexpr const char* kDenseUpdate = "dense_adam_update";
  static constexpr std::size_t kSlots = 2;

  float *first, *second;  // moving means of g and of g * g
  float rest_1, rest_2;   // 1 - beta_1 and 1 - beta_2
  float epsilon;

  template <class Arguments>
  static Adam from(Arguments& call) {
    return {call.slot(0), call.slot(1), call.one_minus("beta_1"), call.one_minus("beta_2"),
            call.number("epsilon")};
  }

  template <class Weights>
  void move(const Weights& weights) const {
    float *m = weights.part(first), *v = weights.part(second);
    const float step = weights.step(), small = epsilon, new_1 = rest_1, new_2 = rest_2;
    weights.each([=](std::int64_t i, float w, float g) {
      m[i] += (g - m[i]) * new_1;
      v[i] += (g * g - v[i]) * new_2;
      return w - m[i] * step / (std::sqrt(v[i]) + small);
    });
  }
};

struct RmsProp {
  static constexpr const char* kUpdate = "rmsprop_update";
  static constexpr const char* kDenseUpdate = "dense_rmsprop_update";
  static constexpr std::size_t kSlots = 3;

  float* square;
  float* velocity;  // null: no momentum
  float* mean;      // null: not centered
  float rho, rest;  // rest: 1 - rho
  float momentum, epsilon;

  template <class Arguments>
  static RmsProp from(Arguments& call) {
    float *square = call.slot(0), *velocity = call.optional_slot(1), *mean = call.optional_slot(2);
    const float momentum = call.number("momentum");
    return {square,
            momentum > 0.0F ? velocity : nullptr,
            call.flag("centered") ? mean : nullptr,
            call.number("rho"),
            call.one_minus("rho"),
            momentum,
            call.number("epsilon")};
  }

  template <class Weights>
  void move(const Weights& weights) const {
    float *s = weights.part(square), *m = weights.part(mean);
    const float old = rho, fresh = rest;
    const auto squared = [=](std::int64_t i, float g) { return s[i] = old * s[i] + fresh * g * g; };
    const auto centered = [=](std::int64_t i, float g) {
      m[i] = old * m[i] + fresh * g;
      return squared(i, g) - m[i] * m[i];
    };
    if (m == nullptr) {
      move_by(weights, squared);
    } else {
      move_by(weights, centered);
    }
  }

 private:
  // Variance is a function of (i, g), with or without the mean subtracted.
  template <class Weights, class Variance>
  void move_by(const Weights& weights, Variance variance) const {
    float* v = weights.part(velocity);
    const float rate = weights.rate(), mu = momentum, small = epsilon;
    const auto increment = [=](std::int64_t i, float g) {
      return rate * g / std::sqrt(variance(i, g) + small);
    };
    if (v == nullptr) {
      weights.each([=](std::int64_t i, float w, float g) { return w - increment(i, g); });
    } else {
      weights.each([=](std::int64_t i, float w, float g) {
        v[i] = mu * v[i] + increment(i, g);
        return w - v[i];
      });
    }
  }
};

struct Adagrad {
  static constexpr const char* kUpdate = "adagrad_update";
  static constexpr const char* kDenseUpdate = "dense_adagrad_update";
  static constexpr std::size_t kSlots = 1;

  float* accumulator;  // the sum of all g * g
  float epsilon;

  template <class Arguments>
  static Adagrad from(Arguments& call) {
    return {call.slot(0), call.number("epsilon")};
  }

  template <class Weights>
  void move(const Weights& weights) const {
    float* sum = weights.part(accumulator);
    const float rate = weights.rate(), small = epsilon;
    weights.each([=](std::int64_t i, float w, float g) {
      sum[i] += g * g;
      return w - rate * g / std::sqrt(sum[i] + small);
    });
  }
};

using OptimizerRule = std::variant<Sgd, Adam, RmsProp, Adagrad>;

}  // namespace minicnn
