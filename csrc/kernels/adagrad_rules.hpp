#pragma once

#include <cmath>
#include <cstdint>

namespace minicnn {

// Rules that divide by the size of the gradients so far; see optimizer_rules.hpp.

struct RmsProp {
  static constexpr const char* kUpdate = "rmsprop_update";
  static constexpr const char* kDenseUpdate = "dense_rmsprop_update";
  static constexpr std::size_t kSlots = 3;
  static constexpr std::int64_t kRates = 2;

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
  static constexpr std::int64_t kRates = 2;

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

struct Adadelta {
  static constexpr const char* kUpdate = "adadelta_update";
  static constexpr const char* kDenseUpdate = "dense_adadelta_update";
  static constexpr std::size_t kSlots = 2;
  static constexpr std::int64_t kRates = 2;

  float *square, *delta_square;  // moving means of the squares of gradients and of steps
  float rho, rest;               // rest: 1 - rho
  float epsilon;

  template <class Arguments>
  static Adadelta from(Arguments& call) {
    return {call.slot(0), call.slot(1), call.number("rho"), call.one_minus("rho"),
            call.number("epsilon")};
  }

  template <class Weights>
  void move(const Weights& weights) const {
    float *s = weights.part(square), *d = weights.part(delta_square);
    const float rate = weights.rate(), old = rho, fresh = rest, small = epsilon;
    weights.each([=](std::int64_t i, float w, float g) {
      s[i] = old * s[i] + fresh * g * g;
      const float delta = std::sqrt(d[i] + small) * g / std::sqrt(s[i] + small);
      d[i] = old * d[i] + fresh * delta * delta;
      return w - rate * delta;
    });
  }
};

struct Ftrl {
  static constexpr const char* kUpdate = "ftrl_update";
  static constexpr const char* kDenseUpdate = "dense_ftrl_update";
  static constexpr std::size_t kSlots = 2;
  static constexpr std::int64_t kRates = 2;

  float *accumulator, *linear;
  float l1, l2, shrinkage, beta;

  template <class Arguments>
  static Ftrl from(Arguments& call) {
    return {call.slot(0),
            call.slot(1),
            call.number("l1"),
            call.number("l2"),
            call.number("shrinkage"),
            call.number("beta")};
  }

  template <class Weights>
  void move(const Weights& weights) const {
    float *sum = weights.part(accumulator), *z = weights.part(linear);
    const float rate = weights.rate(), bound = l1, own_beta = beta;
    const float twice_l2 = 2.0F * l2, twice_shrinkage = 2.0F * shrinkage;
    weights.each([=](std::int64_t i, float w, float g) {
      const float total = sum[i] + g * g, root = std::sqrt(total);
      const float change = (root - std::sqrt(sum[i])) / rate;
      z[i] = z[i] + ((g + twice_shrinkage * w) - change * w);
      const float clipped = z[i] < -bound ? -bound : z[i] > bound ? bound : z[i];
      sum[i] = total;
      return (clipped - z[i]) / ((root + own_beta) / rate + twice_l2);
    });
  }
};

}  // namespace minicnn
