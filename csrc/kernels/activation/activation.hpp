#pragma once

#include <cstdint>

#include "core/isa.hpp"

namespace minicnn {

// A function that is applied to each value, and its gradient, for arrays of `size` floats on the
// calling thread. y and dx may be an array that is read. NaN stays NaN.
struct Activation {
  const char* name;
  const char* parameter;  // the attribute that is passed as `parameter`; null if there is none
  void (*forward)(const float* x, std::int64_t size, float parameter, float* y) noexcept;
  // `saved` is the output y or the input x, as minicnn/contracts.py says.
  void (*backward)(const float* dy, const float* saved, std::int64_t size, float parameter,
                   float* dx) noexcept;
};

// All activations, compiled for one instruction set. All of them compute the same bits: no
// operation is fused.
struct Activations {
  const char* name;
  Isa needs;
  Activation functions[8];  // relu is the first
};

#define ACTIVATIONS(isa) extern const Activations activations_##isa;
#include "kernels/activation/activation.inc"
#undef ACTIVATIONS

// Returns the fastest activations that may run on this machine.
const Activations& activations();

// The same on all threads.
void activation_forward(const Activation& activation, const float* x, std::int64_t size,
                        float parameter, float* y) noexcept;
void activation_backward(const Activation& activation, const float* dy, const float* saved,
                         std::int64_t size, float parameter, float* dx) noexcept;

// ReLU, y = max(x, 0), for the kernels that it is fused into.
void relu_forward(const float* x, std::int64_t size, float* y) noexcept;
void relu_backward(const float* dy, const float* y, std::int64_t size, float* dx) noexcept;

}  // namespace minicnn
