#pragma once

#include <cmath>
#include <cstdint>

namespace minicnn {

// Adam and its relatives; see optimizer_rules.hpp.

// The larger of two numbers, NaN if one of them is.
inline float larger(float a, float b) { return a >= b || a != a ? a : b; }

struct Adam {
  static constexpr const char* kUpdate = "adam_update";
  static constexpr const char* kDenseUpdate = "dense_adam_update";
  static constexpr std::size_t kSlots = 2;
  static constexpr std::int64_t kRates = 2;

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

struct Adamax {
  static constexpr const char* kUpdate = "adamax_update";
  static constexpr const char* kDenseUpdate = "dense_adamax_update";
  static constexpr std::size_t kSlots = 2;
  static constexpr std::int64_t kRates = 2;

  float *first, *norm;  // the moving mean of g, and the largest |g|, slowly forgotten
  float rest_1, beta_2;
  float epsilon;

  template <class Arguments>
  static Adamax from(Arguments& call) {
    return {call.slot(0), call.slot(1), call.one_minus("beta_1"), call.number("beta_2"),
            call.number("epsilon")};
  }

  template <class Weights>
  void move(const Weights& weights) const {
    float *m = weights.part(first), *u = weights.part(norm);
    const float step = weights.step(), small = epsilon, fresh = rest_1, kept = beta_2;
    weights.each([=](std::int64_t i, float w, float g) {
      m[i] += (g - m[i]) * fresh;
      u[i] = larger(kept * u[i], std::fabs(g));
      return w - m[i] * step / (u[i] + small);
    });
  }
};

struct Amsgrad {
  static constexpr const char* kUpdate = "amsgrad_update";
  static constexpr const char* kDenseUpdate = "dense_amsgrad_update";
  static constexpr std::size_t kSlots = 3;
  static constexpr std::int64_t kRates = 2;

  float *first, *second, *largest;  // as Adam's, and the largest `second` so far
  float rest_1, rest_2;
  float epsilon;

  template <class Arguments>
  static Amsgrad from(Arguments& call) {
    return {call.slot(0),
            call.slot(1),
            call.slot(2),
            call.one_minus("beta_1"),
            call.one_minus("beta_2"),
            call.number("epsilon")};
  }

  template <class Weights>
  void move(const Weights& weights) const {
    float *m = weights.part(first), *v = weights.part(second), *top = weights.part(largest);
    const float step = weights.step(), small = epsilon, new_1 = rest_1, new_2 = rest_2;
    weights.each([=](std::int64_t i, float w, float g) {
      m[i] += (g - m[i]) * new_1;
      v[i] += (g * g - v[i]) * new_2;
      top[i] = larger(top[i], v[i]);
      return w - m[i] * step / (std::sqrt(top[i]) + small);
    });
  }
};

struct Nadam {
  static constexpr const char* kUpdate = "nadam_update";
  static constexpr const char* kDenseUpdate = "dense_nadam_update";
  static constexpr std::size_t kSlots = 2;
  static constexpr std::int64_t kRates = 4;  // the learning rate, of_mean, of_gradient, of_square

  float *first, *second;  // as Adam's
  float rest_1, rest_2;
  float epsilon;

  template <class Arguments>
  static Nadam from(Arguments& call) {
    return {call.slot(0), call.slot(1), call.one_minus("beta_1"), call.one_minus("beta_2"),
            call.number("epsilon")};
  }

  template <class Weights>
  void move(const Weights& weights) const {
    float *m = weights.part(first), *v = weights.part(second);
    const float rate = weights.rate(), small = epsilon, new_1 = rest_1, new_2 = rest_2;
    const float of_mean = weights.given(1), of_gradient = weights.given(2),
                of_square = weights.given(3);
    weights.each([=](std::int64_t i, float w, float g) {
      m[i] += (g - m[i]) * new_1;
      v[i] += (g * g - v[i]) * new_2;
      const float ahead = of_mean * m[i] + of_gradient * g;
      return w - ahead * rate / (std::sqrt(v[i] * of_square) + small);
    });
  }
};

}  // namespace minicnn
