#include "kernels/dropout.hpp"

#include <algorithm>

#include "core/blocks.hpp"
#include "core/philox.hpp"

namespace minicnn {
namespace {

constexpr std::int64_t kCounters = 8;           // made at once
constexpr std::int64_t kWords = 4 * kCounters;  // elements that they serve
static_assert(kBlock % kWords == 0, "a piece of work begins with whole counters");

}  // namespace

void dropout(const float* x, std::int64_t size, const Dropout& rule, const std::uint32_t* stream,
             float* y) noexcept {
  const PhiloxKey key{stream[0], stream[1] ^ stream[3]};
  const std::uint32_t step = stream[2];
  parallel_blocks(size, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t first = begin; first < end; first += kWords) {
      PhiloxWords<kCounters> words;
      for (std::size_t i = 0; i < kCounters; ++i) {
        const std::uint64_t counter = std::uint64_t(first) / 4 + i;
        words[0][i] = std::uint32_t(counter);
        words[1][i] = std::uint32_t(counter >> 32);
        words[2][i] = rule.purpose;
        words[3][i] = step;
      }
      philox4x32(words, key);
      const auto count = std::size_t(std::min(end - first, kWords));
      for (std::size_t i = 0; i < count; ++i) {
        const float scaled = x[std::size_t(first) + i] * rule.scale;  // not branched over: chance
        y[std::size_t(first) + i] = words[i % 4][i / 4] >> 8 >= rule.threshold ? scaled : 0.0F;
      }
    }
  });
}

}  // namespace minicnn
