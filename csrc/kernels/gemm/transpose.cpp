#include "kernels/gemm/transpose.hpp"

#include <algorithm>

namespace minicnn {

// Works in squares, so that each cache line of both arrays is fetched only once.
void transpose(const float* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns,
               float* to, std::int64_t to_row) noexcept {
  constexpr std::int64_t kSquare = 16;
  for (std::int64_t i0 = 0; i0 < rows; i0 += kSquare) {
    const std::int64_t i1 = std::min(i0 + kSquare, rows);
    for (std::int64_t j0 = 0; j0 < columns; j0 += kSquare) {
      for (std::int64_t j = j0; j < std::min(j0 + kSquare, columns); ++j) {
        for (std::int64_t i = i0; i < i1; ++i) to[j * to_row + i] = from[i * from_row + j];
      }
    }
  }
}

}  // namespace minicnn
