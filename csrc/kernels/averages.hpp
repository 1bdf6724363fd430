#pragma once

#include <cstdint>

namespace minicnn {

// Means over several batches; all arrays are (size,), and the first one is changed in place.

// sum += dw
void add_gradient(float* sum, const float* dw, std::int64_t size) noexcept;

// dw = (dw + sum) / batches
void mean_gradient(float* dw, const float* sum, std::int64_t size, float batches) noexcept;

// average = old * average + fresh * w
void moving_average(float* average, const float* w, std::int64_t size, float old,
                    float fresh) noexcept;

}  // namespace minicnn
