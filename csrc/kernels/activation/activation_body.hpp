#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/activation/activation.hpp"
#include "kernels/activation/exponential.hpp"
#include "kernels/activation/sigmoid.hpp"

// Included by one file per instruction set. The anonymous namespace keeps each file's copy
// separate: with external linkage the linker would keep one for all, perhaps the AVX-512 one, and
// older processors would crash.

namespace minicnn {
namespace {

// Each activation is a function of one value and its parameter, 0 if it has none; each gradient is
// a function of dy, the saved value and the parameter. Comparisons are written so that NaN stays
// NaN.
float relu(float x, float) { return x <= 0.0F ? 0.0F : x; }
float relu_gradient(float dy, float y, float) { return y > 0.0F ? dy : 0.0F; }

float relu6(float x, float) {
  const float positive = x <= 0.0F ? 0.0F : x;
  return positive >= 6.0F ? 6.0F : positive;
}
float relu6_gradient(float dy, float y, float) { return (y > 0.0F) & (y < 6.0F) ? dy : 0.0F; }

float leaky_relu(float x, float negative_slope) { return x > 0.0F ? x : negative_slope * x; }
float leaky_relu_gradient(float dy, float x, float negative_slope) {
  return x > 0.0F ? dy : negative_slope * dy;
}

float elu(float x, float alpha) {
  return x > 0.0F ? x : alpha * float(exponential_minus_1(double(x)));
}
float elu_gradient(float dy, float y, float alpha) { return y > 0.0F ? dy : dy * (y + alpha); }

float sigmoid_of(float x, float) { return sigmoid(x); }
float sigmoid_gradient(float dy, float y, float) { return dy * (y * (1.0F - y)); }

// tanh x = (e^2x - 1) / (e^2x + 1); beyond 20 it is 1 or -1 as a float.
float tanh_of(float x, float) {
  double z = double(x);
  z = z > 20.0 ? 20.0 : z;
  z = z < -20.0 ? -20.0 : z;
  const double e = exponential_minus_1(2.0 * z);
  return float(e / (e + 2.0));
}
float tanh_gradient(float dy, float y, float) { return dy * (1.0F - y * y); }

float silu(float x, float) { return x * sigmoid(x); }
float silu_gradient(float dy, float x, float) {
  const float s = sigmoid(x);
  return dy * (s * (1.0F + x * (1.0F - s)));
}

// gelu is x p(x). Exactly, p is the normal distribution function: erfc keeps the digits that 1 +
// erf loses where x is negative. Approximately, it is (1 + tanh u) / 2 = sigmoid(2 u).
constexpr float kSqrtHalf = 0.707106781F;
constexpr float kNormalPeak = 0.398942280F;  // 1 / sqrt(2 pi), the normal density at 0
constexpr float kGeluScale = 1.595769122F;   // 2 sqrt(2 / pi)
constexpr float kGeluCubic = 0.044715F;

// Beyond 100 p is 0 or 1, and x^3 might overflow. NaN stays NaN.
float saturated(float x) { return x > 100.0F ? 100.0F : x < -100.0F ? -100.0F : x; }

float gelu_distribution(float x, float approximate) {
  if (approximate == 0.0F) return 0.5F * std::erfc(-x * kSqrtHalf);
  const float z = saturated(x);
  return sigmoid(kGeluScale * (z + kGeluCubic * z * z * z));
}

float gelu(float x, float approximate) { return x * gelu_distribution(x, approximate); }

float gelu_gradient(float dy, float x, float approximate) {
  const float p = gelu_distribution(x, approximate), z = saturated(x);
  const float density = approximate == 0.0F
                            ? kNormalPeak * float(exponential(-0.5F * x * x))
                            : p * (1.0F - p) * kGeluScale * (1.0F + 3.0F * kGeluCubic * z * z);
  return dy * (p + x * density);
}

template <float (*function)(float, float)>
void forward(const float* x, std::int64_t size, float parameter, float* y) noexcept {
  for (std::int64_t i = 0; i < size; ++i) y[i] = function(x[i], parameter);
}

template <float (*gradient)(float, float, float)>
void backward(const float* dy, const float* saved, std::int64_t size, float parameter,
              float* dx) noexcept {
  for (std::int64_t i = 0; i < size; ++i) dx[i] = gradient(dy[i], saved[i], parameter);
}

// The functions of one instruction set.
constexpr Activations activations_of(const char* name, Isa needs) {
  return {name,
          needs,
          {
              {"relu", nullptr, forward<relu>, backward<relu_gradient>},
              {"relu6", nullptr, forward<relu6>, backward<relu6_gradient>},
              {"leaky_relu", "negative_slope", forward<leaky_relu>, backward<leaky_relu_gradient>},
              {"elu", "alpha", forward<elu>, backward<elu_gradient>},
              {"sigmoid", nullptr, forward<sigmoid_of>, backward<sigmoid_gradient>},
              {"tanh", nullptr, forward<tanh_of>, backward<tanh_gradient>},
              {"silu", nullptr, forward<silu>, backward<silu_gradient>},
              {"gelu", "approximate", forward<gelu>, backward<gelu_gradient>},
          }};
}

}  // namespace
}  // namespace minicnn
