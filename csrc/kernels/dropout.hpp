#pragma once

#include <cstdint>

namespace minicnn {

struct Dropout {
  std::uint32_t threshold;  // a number is dropped if its 24 random bits are below
  float scale;              // of those that are kept
  std::uint32_t purpose;    // keeps two masks of the same step apart
};

// y = x * scale where kept, else 0: forward, and backward of the same stream, (4,). y is written.
void dropout(const float* x, std::int64_t size, const Dropout& rule, const std::uint32_t* stream,
             float* y) noexcept;

}  // namespace minicnn
