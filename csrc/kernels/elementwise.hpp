#pragma once

#include <cstddef>
#include <cstdint>

namespace minicnn {

// Arrays of `size` floats; y, dx, da and db are written and may be an array that is read.
void add(const float* a, const float* b, std::int64_t size, float* y) noexcept;
void multiply(const float* a, const float* b, std::int64_t size, float* y) noexcept;

// y = x * scale + offset; x may be uint8.
void rescale(const float* x, std::int64_t size, float scale, float offset, float* y) noexcept;
void rescale(const std::uint8_t* x, std::int64_t size, float scale, float offset,
             float* y) noexcept;
void scale(const float* x, std::int64_t size, float factor, float* y) noexcept;

// y = x + b for x, y (rows, c) and b (c,).
void bias_forward(const float* x, const float* b, std::int64_t rows, std::int64_t c,
                  float* y) noexcept;
// db (c,) = the sums over the rows of dy; scratch of bias_scratch bytes, aligned for double.
std::size_t bias_scratch(std::int64_t rows, std::int64_t c);
void bias_backward_bias(const float* dy, std::int64_t rows, std::int64_t c, float* db,
                        char* scratch) noexcept;

// Copies `bytes` bytes; does nothing if both arrays are the same.
void copy(const void* from, std::int64_t bytes, void* to) noexcept;

}  // namespace minicnn
