#include "kernels/dropout.hpp"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "core/blocks.hpp"
#include "core/isa.hpp"
#include "kernels/dropout_run.hpp"

namespace minicnn {
namespace {

// A piece of work begins with a whole counter, and the counter's first word does not wrap in it.
static_assert(kBlock % 4 == 0 && (std::int64_t{1} << 34) % kBlock == 0);

// `value` or 0. A mask of bits, as a branch on a random number is guessed wrong half of the time.
float kept_or_zero(float value, bool kept) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  bits &= 0U - std::uint32_t(kept);
  std::memcpy(&value, &bits, sizeof bits);
  return value;
}

void run_word_by_word(const DropoutRun& run) {
  for (std::int64_t first = 0; first < run.count; first += 4) {
    PhiloxWords counter = run.counter;
    counter[0] += std::uint32_t(first / 4);
    const PhiloxWords words = philox4x32(counter, run.key);
    const std::int64_t last = std::min(run.count, first + 4);
    for (std::int64_t i = first; i < last; ++i) {
      const bool kept = words[std::size_t(i - first)] >> 8 >= run.threshold;
      run.y[i] = kept_or_zero(run.x[i] * run.scale, kept);
    }
  }
}

struct Way {
  Isa needs;
  std::int64_t numbers;  // at once
  void (*run)(const DropoutRun& run);
};

constexpr Way kWays[] = {
#define DROPOUT_RUN(isa, numbers) {Isa::isa, numbers, dropout_run_##isa},
#include "kernels/dropout_runs.inc"
#undef DROPOUT_RUN
    {Isa::generic, 4, run_word_by_word},
};

const Way& best_way() {
  static const Way& best = *std::find_if(std::begin(kWays), std::end(kWays),
                                         [](const Way& way) { return has(way.needs); });
  return best;
}

// The first numbers, as many as go at once, then the rest one by one.
void run_stretch(DropoutRun run) {
  const Way& way = best_way();
  const std::int64_t all = run.count, fast = all / way.numbers * way.numbers;
  run.count = fast;
  way.run(run);
  run.x += fast;
  run.y += fast;
  run.count = all - fast;
  run.counter[0] += std::uint32_t(fast / 4);
  run_word_by_word(run);
}

}  // namespace

void dropout(const float* x, std::int64_t size, const Dropout& rule, const std::uint32_t* stream,
             float* y) noexcept {
  const PhiloxKey key{stream[0], stream[1] ^ stream[3]};
  const std::uint32_t step = stream[2];
  parallel_blocks(size, [=](std::int64_t begin, std::int64_t end) {
    const auto block = std::uint64_t(begin) / 4;
    const PhiloxWords counter{std::uint32_t(block), std::uint32_t(block >> 32), rule.purpose, step};
    run_stretch({x + begin, y + begin, end - begin, counter, key, rule.threshold, rule.scale});
  });
}

}  // namespace minicnn
