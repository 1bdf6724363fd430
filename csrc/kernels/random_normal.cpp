#include "kernels/random_normal.hpp"

#include <algorithm>
#include <cmath>

#include "core/blocks.hpp"
#include "core/philox.hpp"

namespace minicnn {
namespace {

constexpr double kTurn = 6.283185307179586;
constexpr double kStep = 1.0 / (1 << 24);  // random words give 24 bits

// Box and Muller's method: two numbers from two random words.
void normal_pair(std::uint32_t a, std::uint32_t b, double* z) {
  const double radius = std::sqrt(-2.0 * std::log(double((a >> 8) + 1) * kStep));
  const double angle = kTurn * (double(b >> 8) * kStep);
  z[0] = radius * std::cos(angle);
  z[1] = radius * std::sin(angle);
}

}  // namespace

void random_normal(std::int64_t size, const RandomNormal& rule, float* y) noexcept {
  const std::uint32_t* rng_key = rule.rng_key;
  const PhiloxKey key{rng_key[0], rng_key[1] ^ rng_key[3]};
  constexpr std::int64_t block = kBlockFloats / 4;  // a number costs as much as several floats read
  parallel_blocks(
      size,
      [=](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; i += 4) {
          const auto number = std::uint64_t(i) / 4;
          const PhiloxWords words = philox4x32(
              {std::uint32_t(number), std::uint32_t(number >> 32), rule.purpose, rng_key[2]}, key);
          double z[4];
          normal_pair(words[0], words[1], z);
          normal_pair(words[2], words[3], z + 2);
          for (std::int64_t j = i; j < std::min(end, i + 4); ++j) {
            y[j] = float(rule.mean + rule.stddev * z[j - i]);
          }
        }
      },
      block);
}

}  // namespace minicnn
