#include "kernels/activation.hpp"

#include <cmath>

#include "kernels/elementwise_map.hpp"
#include "kernels/sigmoid.hpp"

namespace minicnn {

// Comparisons are written so that NaN stays NaN.
void relu_forward(const float* x, std::int64_t size, float* y) noexcept {
  map(size, y, [](float v) { return v <= 0.0F ? 0.0F : v; }, x);
}

void relu_backward(const float* dy, const float* y, std::int64_t size, float* dx) noexcept {
  map(size, dx, [](float g, float v) { return v > 0.0F ? g : 0.0F; }, dy, y);
}

void relu6_forward(const float* x, std::int64_t size, float* y) noexcept {
  map(
      size, y,
      [](float v) {
        const float positive = v <= 0.0F ? 0.0F : v;
        return positive >= 6.0F ? 6.0F : positive;
      },
      x);
}

void relu6_backward(const float* dy, const float* y, std::int64_t size, float* dx) noexcept {
  map(size, dx, [](float g, float v) { return (v > 0.0F) & (v < 6.0F) ? g : 0.0F; }, dy, y);
}

void leaky_relu_forward(const float* x, std::int64_t size, float negative_slope,
                        float* y) noexcept {
  map(size, y, [=](float v) { return v > 0.0F ? v : negative_slope * v; }, x);
}

void leaky_relu_backward(const float* dy, const float* x, std::int64_t size, float negative_slope,
                         float* dx) noexcept {
  map(size, dx, [=](float g, float v) { return v > 0.0F ? g : negative_slope * g; }, dy, x);
}

void elu_forward(const float* x, std::int64_t size, float alpha, float* y) noexcept {
  map(size, y, [=](float v) { return v > 0.0F ? v : alpha * std::expm1(v); }, x);
}

void elu_backward(const float* dy, const float* y, std::int64_t size, float alpha,
                  float* dx) noexcept {
  map(size, dx, [=](float g, float v) { return v > 0.0F ? g : g * (v + alpha); }, dy, y);
}

void sigmoid_forward(const float* x, std::int64_t size, float* y) noexcept {
  map(size, y, sigmoid, x);
}

void sigmoid_backward(const float* dy, const float* y, std::int64_t size, float* dx) noexcept {
  map(size, dx, [](float g, float v) { return g * (v * (1.0F - v)); }, dy, y);
}

void tanh_forward(const float* x, std::int64_t size, float* y) noexcept {
  map(size, y, [](float v) { return std::tanh(v); }, x);
}

void tanh_backward(const float* dy, const float* y, std::int64_t size, float* dx) noexcept {
  map(size, dx, [](float g, float v) { return g * (1.0F - v * v); }, dy, y);
}

void silu_forward(const float* x, std::int64_t size, float* y) noexcept {
  map(size, y, [](float v) { return v * sigmoid(v); }, x);
}

void silu_backward(const float* dy, const float* x, std::int64_t size, float* dx) noexcept {
  map(
      size, dx,
      [](float g, float v) {
        const float s = sigmoid(v);
        return g * (s * (1.0F + v * (1.0F - s)));
      },
      dy, x);
}

}  // namespace minicnn
