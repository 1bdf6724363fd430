#pragma once

#include <cstdint>

namespace minicnn {

struct Dropout {
  std::uint32_t threshold;      // a number is dropped if its 24 random bits are below
  float scale;                  // of those that are kept
  std::uint32_t purpose;        // keeps two masks of the same step apart
  const std::uint32_t* rng_key;  // (4,), the step's random numbers
};

// y = x * scale where kept, else 0: forward, and backward with the same rule. y is written, and may
// be x.
void dropout(const float* x, std::int64_t size, const Dropout& rule, float* y) noexcept;

// The numbers [begin, end) of the same, on the calling thread.
void dropout_piece(const float* x, std::int64_t begin, std::int64_t end, const Dropout& rule,
                   float* y) noexcept;

}  // namespace minicnn
