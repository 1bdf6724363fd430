#pragma once

#include <cstdint>

namespace minicnn {

// a / b rounded up, for a >= 0 and b > 0: the number of blocks of b items that hold a items.
constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// The integers begin, begin + 1, ..., end - 1.
struct IndexRange {
  std::int64_t begin, end;

  std::int64_t size() const { return end - begin; }
};

}  // namespace minicnn
