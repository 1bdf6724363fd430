#pragma once

#include <cstddef>
#include <cstdint>

namespace minicnn {

// dw, of `size` numbers, is changed in place.
void clip_by_value(float* dw, std::int64_t size, float limit) noexcept;

// dw * limit / max(sqrt(squared_norm), limit)
void clip_by_norm(float* dw, std::int64_t size, double squared_norm, double limit) noexcept;

// Sum of squares; scratch of squared_norm_scratch(size) bytes, aligned for double.
std::size_t squared_norm_scratch(std::int64_t size);
double squared_norm(const float* dw, std::int64_t size, char* scratch) noexcept;

}  // namespace minicnn
