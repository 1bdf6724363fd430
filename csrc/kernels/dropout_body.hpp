#pragma once

#include <cstddef>

#include "kernels/dropout_run.hpp"

// Included by one file per instruction set; see conv2d/micro_body.hpp on the anonymous namespace.
// `Words` is a vector of 64-bit lanes, a Philox word in the low half of each and anything in the
// high half: the multiplication reads low halves only, so nothing needs to be cleared between
// rounds.

namespace minicnn {
namespace {

// Floats to ask for ahead of their turn: the computation between two loads is so long that the
// processor does not do it by itself. 3.2 -> 0.7 ms for 22 MB (2 cores, AMD EPYC 9005, 2026-11).
constexpr std::int64_t kAhead = 512;

template <class Words>
struct Philox {
  typename Words::V c0, c1, c2, c3;

  void round(PhiloxKey key) {
    const auto p0 = Words::multiply(c0, Words::broadcast(0xD2511F53));
    const auto p1 = Words::multiply(c2, Words::broadcast(0xCD9E8D57));
    c0 = Words::exclusive_or(Words::high(p1), c1, Words::broadcast(key[0]));
    c2 = Words::exclusive_or(Words::high(p0), c3, Words::broadcast(key[1]));
    c1 = p1;
    c3 = p0;
  }
};

// kGroups vectors of counters side by side, as one alone would wait for its multiplications.
template <class Words, std::size_t kGroups>
void run_dropout(const DropoutRun& run) {
  constexpr std::int64_t kBlocks = kGroups * Words::kLanes;  // a block is four numbers
  const PhiloxWords start = run.counter;
  for (std::int64_t i = 0; i < run.count; i += 4 * kBlocks) {
    Philox<Words> groups[kGroups];
    for (std::size_t g = 0; g < kGroups; ++g) {
      const std::uint32_t block =
          start[0] + std::uint32_t(i / 4) + std::uint32_t(g * Words::kLanes);
      groups[g] = {Words::blocks_from(block), Words::broadcast(start[1]),
                   Words::broadcast(start[2]), Words::broadcast(start[3])};
    }
    for (std::int64_t line = 0; line < 4 * kBlocks; line += 16) {
      __builtin_prefetch(run.x + i + kAhead + line);
      __builtin_prefetch(run.y + i + kAhead + line, 1);
    }
    PhiloxKey key = run.key;
    for (int round = 0; round < 10; ++round) {
      for (std::size_t g = 0; g < kGroups; ++g) groups[g].round(key);
      key = {key[0] + 0x9E3779B9, key[1] + 0xBB67AE85};
    }
    for (std::size_t g = 0; g < kGroups; ++g) {
      const std::int64_t at = i + std::int64_t(4 * g * Words::kLanes);
      Words::keep(groups[g], run.threshold, run.scale, run.x + at, run.y + at);
    }
  }
}

}  // namespace
}  // namespace minicnn
