#pragma once

#include <cstdint>
#include <vector>

namespace minicnn {

// A function that is applied to each value, and its gradient, for arrays of `size` floats. y and dx
// may be an array that is read. NaN stays NaN.
struct Activation {
  const char* name;
  const char* parameter;  // the attribute that is passed as `parameter`; null if there is none
  void (*forward)(const float* x, std::int64_t size, float parameter, float* y) noexcept;
  // `saved` is the output y or the input x, as minicnn/contracts.py says.
  void (*backward)(const float* dy, const float* saved, std::int64_t size, float parameter,
                   float* dx) noexcept;
};

// All activations of the engine.
const std::vector<Activation>& activations();

// ReLU, y = max(x, 0), for the kernels that it is fused into.
void relu_forward(const float* x, std::int64_t size, float* y) noexcept;
void relu_backward(const float* dy, const float* y, std::int64_t size, float* dx) noexcept;

}  // namespace minicnn
