#include "kernels/adjust_colors.hpp"

#include <algorithm>

#include "core/parallel.hpp"

namespace minicnn {
namespace {

constexpr float kRed = 0.2989F, kGreen = 0.587F, kBlue = 0.114F;  // shares of the brightness

// y is x with each pixel's brightness in all three channels.
template <class T>
void to_gray(const T* x, std::int64_t pixels, float* y) {
  for (std::int64_t p = 0; p < pixels; ++p) {
    const T* v = x + 3 * p;
    const float gray = kRed * float(v[0]) + kGreen * float(v[1]) + kBlue * float(v[2]);
    std::fill_n(y + 3 * p, 3, gray);
  }
}

float mean_of_channel(const float* y, std::int64_t pixels, std::int64_t channels) {
  double sum = 0.0;
  for (std::int64_t p = 0; p < pixels; ++p) sum += double(y[p * channels]);
  return float(sum / double(pixels));
}

// Comparisons that let NaN pass, as the reference does.
float limited(float v, float low, float high) {
  v = v < low ? low : v;
  return v > high ? high : v;
}

}  // namespace

template <class T>
void adjust_colors(const T* x, const Shape4& xs, const float* levels, const AdjustColors& rule,
                   float* y) noexcept {
  const std::int64_t pixels = xs.h * xs.w;
  parallel_for(xs.n, [&](std::int64_t n, int) {
    const T* from = x + n * xs.image();
    float* to = y + n * xs.image();
    const float gain = levels[3 * n], shift = levels[3 * n + 1];
    if (levels[3 * n + 2] >= 0.5F && xs.c == 3) {
      to_gray(from, pixels, to);
    } else {
      for (std::int64_t i = 0; i < xs.image(); ++i) to[i] = float(from[i]);
    }
    if (!rule.about_mean) {
      for (std::int64_t i = 0; i < xs.image(); ++i) {
        to[i] = limited(to[i] * gain + shift, rule.low, rule.high);
      }
      return;
    }
    for (std::int64_t c = 0; c < xs.c; ++c) {
      const float mean = mean_of_channel(to + c, pixels, xs.c);
      for (std::int64_t i = c; i < xs.image(); i += xs.c) {
        to[i] = limited((to[i] - mean) * gain + mean + shift, rule.low, rule.high);
      }
    }
  });
}

template void adjust_colors(const std::uint8_t*, const Shape4&, const float*, const AdjustColors&,
                            float*) noexcept;
template void adjust_colors(const float*, const Shape4&, const float*, const AdjustColors&,
                            float*) noexcept;

}  // namespace minicnn
