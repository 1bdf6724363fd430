#pragma once

#include <cstdint>
#include <vector>

namespace minicnn {

// A function of each value, with up to two parameters, 0 if it has fewer. `saved` is the x or the y
// that the contract names; dx may be dy, and y may be x.
struct Unary {
  const char* name;
  std::vector<const char*> parameters;  // names of attributes
  void (*forward)(const float* x, std::int64_t size, const float* parameters, float* y) noexcept;
  // Null for functions whose derivative is 0.
  void (*backward)(const float* dy, const float* saved, std::int64_t size, const float* parameters,
                   float* dx) noexcept;
};

const std::vector<Unary>& unary_functions();

}  // namespace minicnn
