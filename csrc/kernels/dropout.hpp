#pragma once

#include <cstdint>

namespace minicnn {

struct Dropout {
  std::uint32_t threshold;       // a value is dropped if its 24 random bits are below this
  float scale;                   // of the values that are kept
  std::uint32_t purpose;         // distinguishes the masks of one step
  const std::uint32_t* rng_key;  // (4,), the RNG key of the step
};

// y = x * scale where the value is kept, else 0; the backward pass is the same with dy and dx. y is
// written and may be x.
void dropout(const float* x, std::int64_t size, const Dropout& rule, float* y) noexcept;

// The same for the values [begin, end), on the calling thread.
void dropout_piece(const float* x, std::int64_t begin, std::int64_t end, const Dropout& rule,
                   float* y) noexcept;

}  // namespace minicnn
