#pragma once

#include <algorithm>
#include <cstdint>

#include "core/parallel.hpp"

namespace minicnn {

// Floats in one piece of work. Pieces depend on shapes alone, so no sum depends on the number of
// threads; an array of one piece stays on the calling thread. 16384 floats are about as much work
// as waking a team of threads (2 cores, AMD EPYC, 2026).
constexpr std::int64_t kBlock = 16384;

constexpr std::int64_t blocks_of(std::int64_t size, std::int64_t block) {
  return (size + block - 1) / block;
}

// Calls body(begin, end) for consecutive pieces of [0, size).
template <class F>
void parallel_blocks(std::int64_t size, F body, std::int64_t block = kBlock) noexcept {
  parallel_for(blocks_of(size, block),
               [&](std::int64_t i, int) { body(i * block, std::min(size, (i + 1) * block)); });
}

// Calls body(row, worker) for every row in [0, rows). `work` of one row is measured in floats; rows
// of none are left out, as there may be more of them than a lifetime has nanoseconds.
template <class F>
void parallel_rows(std::int64_t rows, std::int64_t work, F body) noexcept {
  if (work == 0) return;
  const std::int64_t block = std::max<std::int64_t>(1, kBlock / work);
  parallel_for(blocks_of(rows, block), [&](std::int64_t i, int worker) {
    const std::int64_t end = std::min(rows, (i + 1) * block);
    for (std::int64_t row = i * block; row < end; ++row) body(row, worker);
  });
}

}  // namespace minicnn
