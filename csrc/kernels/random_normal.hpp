#pragma once

#include <cstdint>

namespace minicnn {

struct RandomNormal {
  double mean, stddev;
  std::uint32_t purpose;         // distinguishes the random arrays of one step
  const std::uint32_t* rng_key;  // (4,), the RNG key of the step
};

// Writes `size` numbers of a normal distribution, each a function of the key, the purpose and its
// position alone.
void random_normal(std::int64_t size, const RandomNormal& rule, float* y) noexcept;

}  // namespace minicnn
