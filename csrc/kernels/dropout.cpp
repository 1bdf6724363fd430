#include "kernels/dropout.hpp"

#include <algorithm>

#include "core/blocks.hpp"
#include "core/streaming.hpp"
#include "kernels/loops/loops.hpp"

namespace minicnn {
namespace {

static_assert(kBlock % 4 == 0, "a piece of work begins with a whole counter");

constexpr std::int64_t kBlocksAtOnce = 64;  // of four numbers: the words stay in the nearest cache
constexpr std::int64_t kMoreBlocks = 7;     // that random_words may write

// What comes next, while words are made: the processor does not foresee it. Arrays larger than the
// caches take less time (2 cores, AMD EPYC 9005, 2026-11).
void prefetch(const float* x, const float* y) {
  for (std::int64_t i = 0; i < 4 * kBlocksAtOnce; i += kCacheLine) {
    __builtin_prefetch(x + i);
    __builtin_prefetch(y + i, 1);
  }
}

}  // namespace

void dropout(const float* x, std::int64_t size, const Dropout& rule, const std::uint32_t* stream,
             float* y) noexcept {
  const PhiloxKey key{stream[0], stream[1] ^ stream[3]};
  const std::uint32_t step = stream[2];
  parallel_blocks(size, [=](std::int64_t begin, std::int64_t end) {
    std::uint32_t words[4 * (kBlocksAtOnce + kMoreBlocks)];
    for (std::int64_t first = begin; first < end; first += 4 * kBlocksAtOnce) {
      const std::int64_t count = std::min(4 * kBlocksAtOnce, end - first);
      prefetch(x + first + count, y + first + count);
      loops().random_words({std::uint64_t(first) / 4, rule.purpose, step, key}, (count + 3) / 4,
                           words);
      loops().drop(x + first, count, words, rule.threshold, rule.scale, y + first);
    }
  });
}

}  // namespace minicnn
