#pragma once

#include <cstddef>
#include <cstdint>

namespace minicnn {

// Both change dw (size,) in place.
void clip_by_value(float* dw, std::int64_t size, float limit) noexcept;

// dw * limit / max(sqrt(squared_norm), limit)
void clip_by_norm(float* dw, std::int64_t size, double squared_norm, double limit) noexcept;

// Returns the sum of the squares of dw; scratch of squared_norm_scratch(size) bytes, aligned for
// double.
std::size_t squared_norm_scratch(std::int64_t size);
double squared_norm(const float* dw, std::int64_t size, char* scratch) noexcept;

}  // namespace minicnn
