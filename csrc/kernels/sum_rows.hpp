#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/blocks.hpp"

namespace minicnn {

// Rows that one piece of a sum over rows of `c` numbers takes: at least 32, so that the partial
// sums stay small beside the array.
inline std::int64_t rows_of_piece(std::int64_t c) {
  return std::max<std::int64_t>(32, kBlock / std::max<std::int64_t>(1, c));
}

// Doubles that sum_rows needs for its partial sums.
inline std::size_t partial_sums(std::int64_t rows, std::int64_t c, std::int64_t width) {
  return std::size_t(blocks_of(rows, rows_of_piece(c)) * width);
}

// sums, `width` doubles, are what add_row(row, sums) adds for all rows of an array (rows, c).
// Pieces of rows are summed on their own and joined in their order.
template <class AddRow>
void sum_rows(std::int64_t rows, std::int64_t c, std::int64_t width, AddRow add_row, double* sums,
              double* partials) noexcept {
  const std::int64_t piece = rows_of_piece(c), pieces = blocks_of(rows, piece);
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
