#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace minicnn {

// Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw (Parallel Random
// Numbers: As Easy as 1, 2, 3; 2011). The same counter and key give the same four words, so random
// numbers need no state and no order.
//
// Counters lie side by side, word by word, so that the loop over them vectorises.
template <std::size_t kCounters>
using PhiloxWords = std::array<std::array<std::uint32_t, kCounters>, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

// Replaces every counter by its four random words.
template <std::size_t kCounters>
void philox4x32(PhiloxWords<kCounters>& words, PhiloxKey key) {
  for (int round = 0; round < 10; ++round) {
    for (std::size_t i = 0; i < kCounters; ++i) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53} * words[0][i];
      const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * words[2][i];
      words[0][i] = std::uint32_t(p1 >> 32) ^ words[1][i] ^ key[0];
      words[2][i] = std::uint32_t(p0 >> 32) ^ words[3][i] ^ key[1];
      words[1][i] = std::uint32_t(p1);
      words[3][i] = std::uint32_t(p0);
    }
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
}

}  // namespace minicnn
