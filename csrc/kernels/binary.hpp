#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace minicnn {

// Functions of two arrays of `size` floats, value by value. y may be a.
using BinaryFunction = void (*)(const float* a, const float* b, std::int64_t size,
                                float* y) noexcept;
struct Binary {
  const char* name;
  BinaryFunction forward;
};
const std::vector<Binary>& binary_functions();

// Their gradients; da and db must not be an array that is read.
void subtract_backward(const float* dy, std::int64_t size, float* da, float* db) noexcept;
void divide_backward(const float* dy, const float* b, const float* y, std::int64_t size, float* da,
                     float* db) noexcept;
void maximum_backward(const float* dy, const float* a, const float* b, std::int64_t size, float* da,
                      float* db) noexcept;
void minimum_backward(const float* dy, const float* a, const float* b, std::int64_t size, float* da,
                      float* db) noexcept;
void power_backward(const float* dy, const float* a, const float* b, const float* y,
                    std::int64_t size, float* da, float* db) noexcept;

// y = 1 where the comparison holds, else 0. Null if there is none of that name, one of NumPy's.
using Comparison = void (*)(const float* a, const float* b, std::int64_t size,
                            std::uint8_t* y) noexcept;
Comparison comparison_named(const std::string& name);

// y = a where the condition is not 0, else b; items of 1, 2, 4 or 8 bytes.
void where_forward(const std::uint8_t* condition, const void* a, const void* b, std::int64_t size,
                   std::int64_t item_bytes, void* y) noexcept;
void where_backward(const float* dy, const std::uint8_t* condition, std::int64_t size, float* da,
                    float* db) noexcept;

}  // namespace minicnn
