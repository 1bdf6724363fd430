#pragma once

#include <algorithm>
#include <cstdint>

#include "core/integers.hpp"

namespace minicnn {

// Returns those of a window's k cells that lie inside an axis of `length`; the window begins at
// `start`.
inline IndexRange cells_inside(std::int64_t start, std::int64_t k, std::int64_t length) {
  return {std::max<std::int64_t>(0, -start), std::min(k, length - start)};
}

// Returns those of an axis's `out` windows that cover `position`, counted from the padding's first
// cell.
inline IndexRange windows_over(std::int64_t position, std::int64_t k, std::int64_t stride,
                               std::int64_t out) {
  const std::int64_t begin = position < k ? 0 : (position - k + stride) / stride;
  return {begin, std::min(out, position / stride + 1)};
}

}  // namespace minicnn
