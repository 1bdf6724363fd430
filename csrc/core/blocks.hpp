#pragma once

#include <algorithm>
#include <cstdint>

#include "core/integers.hpp"
#include "core/parallel.hpp"

namespace minicnn {

// The number of floats in one task of an elementwise kernel. Blocks depend on shapes alone, so no
// sum depends on the number of threads. An array of a single block stays on the calling thread:
// 16384 floats take about as long as waking the thread pool (2 cores, AMD EPYC, 2026).
constexpr std::int64_t kBlockFloats = 16384;

// Calls body(begin, end) for consecutive blocks of [0, size).
template <class F>
void parallel_blocks(std::int64_t size, F body, std::int64_t block = kBlockFloats) noexcept {
  parallel_for(ceil_div(size, block),
               [&](std::int64_t i, int) { body(i * block, std::min(size, (i + 1) * block)); });
}

// Calls body(row, worker) for every row in [0, rows). `work` is the cost of one row, in floats.
// Rows without work are skipped: an empty axis may come with more rows than a loop could ever
// count.
template <class F>
void parallel_rows(std::int64_t rows, std::int64_t work, F body) noexcept {
  if (work == 0) return;
  const std::int64_t block = std::max<std::int64_t>(1, kBlockFloats / work);
  parallel_for(ceil_div(rows, block), [&](std::int64_t i, int worker) {
    const std::int64_t end = std::min(rows, (i + 1) * block);
    for (std::int64_t row = i * block; row < end; ++row) body(row, worker);
  });
}

}  // namespace minicnn
