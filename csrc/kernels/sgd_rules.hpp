#pragma once

#include <cmath>
#include <cstdint>

namespace minicnn {

// Rules whose steps have the direction of the gradient or of its mean; see optimizer_rules.hpp.

struct Sgd {
  static constexpr const char* kUpdate = "sgd_update";
  static constexpr const char* kDenseUpdate = "dense_sgd_update";
  static constexpr std::size_t kSlots = 1;
  static constexpr std::int64_t kRates = 2;

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

struct Lion {
  static constexpr const char* kUpdate = "lion_update";
  static constexpr const char* kDenseUpdate = "dense_lion_update";
  static constexpr std::size_t kSlots = 1;
  static constexpr std::int64_t kRates = 2;

  float* momentum;
  float beta_1, rest_1, beta_2, rest_2;

  template <class Arguments>
  static Lion from(Arguments& call) {
    return {call.slot(0), call.number("beta_1"), call.one_minus("beta_1"), call.number("beta_2"),
            call.one_minus("beta_2")};
  }

  template <class Weights>
  void move(const Weights& weights) const {
    float* m = weights.part(momentum);
    const float rate = weights.rate(), old_1 = beta_1, new_1 = rest_1, old_2 = beta_2,
                new_2 = rest_2;
    weights.each([=](std::int64_t i, float w, float g) {
      const float direction = m[i] * old_1 + g * new_1;
      m[i] = m[i] * old_2 + g * new_2;
      const float sign = direction == direction ? float(direction > 0.0F) - float(direction < 0.0F)
                                                : direction;  // NaN stays NaN
      return w - rate * sign;
    });
  }
};

}  // namespace minicnn
