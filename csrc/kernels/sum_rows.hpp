#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/blocks.hpp"

namespace minicnn {

// The number of rows in a block of a sum over rows of `c` values: at least 32, so that the partial
// sums are small compared with the array.
inline std::int64_t rows_of_piece(std::int64_t c) {
  return std::max<std::int64_t>(32, kBlockFloats / std::max<std::int64_t>(1, c));
}

// The number of doubles that sum_rows needs for its partial sums.
inline std::size_t partial_sums(std::int64_t rows, std::int64_t c, std::int64_t width) {
  return std::size_t(ceil_div(rows, rows_of_piece(c)) * width);
}

// Computes sums (width,), to which add_row(row, sums) adds each row of an array (rows, c). Blocks
// of rows are summed separately, and their sums are added in order.
template <class AddRow>
void sum_rows(std::int64_t rows, std::int64_t c, std::int64_t width, AddRow add_row, double* sums,
              double* partials) noexcept {
  const std::int64_t piece = rows_of_piece(c), pieces = ceil_div(rows, piece);
  parallel_for(pieces, [&](std::int64_t i, int) {
    std::fill_n(partials + i * width, width, 0.0);
    const std::int64_t end = std::min(rows, (i + 1) * piece);
    for (std::int64_t row = i * piece; row < end; ++row) add_row(row, partials + i * width);
  });
  std::fill_n(sums, width, 0.0);
  for (std::int64_t i = 0; i < pieces; ++i) {
    for (std::int64_t j = 0; j < width; ++j) sums[j] += partials[i * width + j];
  }
}

}  // namespace minicnn
