#include "kernels/unary.hpp"

#include <cmath>

#include "kernels/activation/exponential.hpp"
#include "kernels/activation/sigmoid.hpp"
#include "kernels/elementwise_map.hpp"

namespace minicnn {
namespace {

// Each is a function of one value and two parameters; each gradient is a function of dy, the saved
// value and the parameters. Comparisons are written so that NaN stays NaN.
float absolute(float x, float, float) { return std::fabs(x); }
float absolute_gradient(float dy, float x, float, float) {
  return dy * (x > 0.0F ? 1.0F : x < 0.0F ? -1.0F : x);
}

float clip(float x, float least, float most) {
  const float above = x < least ? least : x;
  return above > most ? most : above;
}
float clip_gradient(float dy, float x, float least, float most) {
  return (x < least) | (x > most) ? 0.0F : dy;
}

float cos_of(float x, float, float) { return std::cos(x); }
float cos_gradient(float dy, float x, float, float) { return -dy * std::sin(x); }

float exp_of(float x, float, float) { return float(exponential(x)); }
float exp_gradient(float dy, float y, float, float) { return dy * y; }

float expm1_of(float x, float, float) { return float(exponential_minus_1(double(x))); }
float expm1_gradient(float dy, float y, float, float) { return dy * (y + 1.0F); }

float fixed_power(float x, float exponent, float) { return std::pow(x, exponent); }
float fixed_power_gradient(float dy, float x, float exponent, float) {
  return dy * (exponent * std::pow(x, exponent - 1.0F));
}

float log_of(float x, float, float) { return std::log(x); }
float log_gradient(float dy, float x, float, float) { return dy / x; }

float log1p_of(float x, float, float) { return std::log1p(x); }
float log1p_gradient(float dy, float x, float, float) { return dy / (1.0F + x); }

float reciprocal(float x, float, float) { return 1.0F / x; }
float reciprocal_gradient(float dy, float y, float, float) { return -dy * (y * y); }

float rsqrt(float x, float, float) { return 1.0F / std::sqrt(x); }
float rsqrt_gradient(float dy, float y, float, float) { return -0.5F * dy * (y * y * y); }

float sin_of(float x, float, float) { return std::sin(x); }
float sin_gradient(float dy, float x, float, float) { return dy * std::cos(x); }

float softplus(float x, float, float) {
  return float((x > 0.0F ? double(x) : 0.0) + log_1_plus_exponential(double(x)));
}
float softplus_gradient(float dy, float x, float, float) { return dy * sigmoid(x); }

float sqrt_of(float x, float, float) { return std::sqrt(x); }
float sqrt_gradient(float dy, float y, float, float) { return 0.5F * dy / y; }

float square(float x, float, float) { return x * x; }
float square_gradient(float dy, float x, float, float) { return dy * (2.0F * x); }

float ceil_of(float x, float, float) { return std::ceil(x); }
float floor_of(float x, float, float) { return std::floor(x); }
float round_of(float x, float, float) { return std::nearbyint(x); }
float sign(float x, float, float) { return x > 0.0F ? 1.0F : x < 0.0F ? -1.0F : x * 0.0F; }

template <float (*function)(float, float, float)>
void forward(const float* x, std::int64_t size, const float* parameters, float* y) noexcept {
  const float p = parameters[0], q = parameters[1];
  map(size, y, [=](float value) { return function(value, p, q); }, x);
}

template <float (*gradient)(float, float, float, float)>
void backward(const float* dy, const float* saved, std::int64_t size, const float* parameters,
              float* dx) noexcept {
  const float p = parameters[0], q = parameters[1];
  map(size, dx, [=](float g, float value) { return gradient(g, value, p, q); }, dy, saved);
}

}  // namespace

const std::vector<Unary>& unary_functions() {
  static const std::vector<Unary> all = {
      {"absolute", {}, forward<absolute>, backward<absolute_gradient>},
      {"ceil", {}, forward<ceil_of>, nullptr},
      {"clip", {"minimum", "maximum"}, forward<clip>, backward<clip_gradient>},
      {"cos", {}, forward<cos_of>, backward<cos_gradient>},
      {"exp", {}, forward<exp_of>, backward<exp_gradient>},
      {"expm1", {}, forward<expm1_of>, backward<expm1_gradient>},
      {"fixed_power", {"exponent"}, forward<fixed_power>, backward<fixed_power_gradient>},
      {"floor", {}, forward<floor_of>, nullptr},
      {"log", {}, forward<log_of>, backward<log_gradient>},
      {"log1p", {}, forward<log1p_of>, backward<log1p_gradient>},
      {"reciprocal", {}, forward<reciprocal>, backward<reciprocal_gradient>},
      {"round", {}, forward<round_of>, nullptr},
      {"rsqrt", {}, forward<rsqrt>, backward<rsqrt_gradient>},
      {"sign", {}, forward<sign>, nullptr},
      {"sin", {}, forward<sin_of>, backward<sin_gradient>},
      {"softplus", {}, forward<softplus>, backward<softplus_gradient>},
      {"sqrt", {}, forward<sqrt_of>, backward<sqrt_gradient>},
      {"square", {}, forward<square>, backward<square_gradient>},
  };
  return all;
}

}  // namespace minicnn
