#include "kernels/dropout.hpp"

#include <algorithm>
#include <cstring>

#include "core/blocks.hpp"
#include "core/philox.hpp"

namespace minicnn {
namespace {

static_assert(kBlock % 4 == 0, "a piece of work begins with a whole counter");

// `value` or 0. A mask of bits, as a branch on a random number is guessed wrong half of the time.
float kept_or_zero(float value, bool kept) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  bits &= 0U - std::uint32_t(kept);
  std::memcpy(&value, &bits, sizeof bits);
  return value;
}

}  // namespace

void dropout(const float* x, std::int64_t size, const Dropout& rule, const std::uint32_t* stream,
             float* y) noexcept {
  const PhiloxKey key{stream[0], stream[1] ^ stream[3]};
  const std::uint32_t step = stream[2];
  parallel_blocks(size, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t first = begin; first < end; first += 4) {
      const auto block = std::uint64_t(first) / 4;
      const PhiloxWords words =
          philox4x32({std::uint32_t(block), std::uint32_t(block >> 32), rule.purpose, step}, key);
      const std::int64_t last = std::min(end, first + 4);
      for (std::int64_t i = first; i < last; ++i) {
        const bool kept = words[std::size_t(i - first)] >> 8 >= rule.threshold;
        y[i] = kept_or_zero(x[i] * rule.scale, kept);
      }
    }
  });
}

}  // namespace minicnn
