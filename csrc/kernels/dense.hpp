#pragma once

#include <cstddef>
#include <cstdint>

namespace minicnn {

struct Dense {
  std::int64_t n, inputs, units;
};

//   x (N, inputs)  w (inputs, units)  b (units,) or null
//   y (N, units)         written
void dense_forward(const Dense& dense, const float* x, const float* w, const float* b, float* y,
                   char* scratch) noexcept;
std::size_t dense_forward_scratch(const Dense& dense);

//   dx (N, inputs)       written
void dense_backward_input(const Dense& dense, const float* dy, const float* w, float* dx,
                          char* scratch) noexcept;
std::size_t dense_backward_input_scratch(const Dense& dense);

//   dw (inputs, units)  db (units,) or null   written
void dense_backward_weights(const Dense& dense, const float* dy, const float* x, float* dw,
                            float* db, char* scratch) noexcept;
std::size_t dense_backward_weights_scratch(const Dense& dense);

}  // namespace minicnn
