#pragma once

#include <cstdint>

namespace minicnn {

// Arrays of `size` floats. y and dx are written and may be an array that is read. NaN stays NaN.
void relu_forward(const float* x, std::int64_t size, float* y) noexcept;
void relu6_forward(const float* x, std::int64_t size, float* y) noexcept;
void sigmoid_forward(const float* x, std::int64_t size, float* y) noexcept;
void tanh_forward(const float* x, std::int64_t size, float* y) noexcept;
void silu_forward(const float* x, std::int64_t size, float* y) noexcept;
void leaky_relu_forward(const float* x, std::int64_t size, float negative_slope, float* y) noexcept;
void elu_forward(const float* x, std::int64_t size, float alpha, float* y) noexcept;

// Gradients that need only the output y ...
void relu_backward(const float* dy, const float* y, std::int64_t size, float* dx) noexcept;
void relu6_backward(const float* dy, const float* y, std::int64_t size, float* dx) noexcept;
void sigmoid_backward(const float* dy, const float* y, std::int64_t size, float* dx) noexcept;
void tanh_backward(const float* dy, const float* y, std::int64_t size, float* dx) noexcept;
void elu_backward(const float* dy, const float* y, std::int64_t size, float alpha,
                  float* dx) noexcept;

// ... and gradients that need the input x.
void silu_backward(const float* dy, const float* x, std::int64_t size, float* dx) noexcept;
void leaky_relu_backward(const float* dy, const float* x, std::int64_t size, float negative_slope,
                         float* dx) noexcept;

}  // namespace minicnn
