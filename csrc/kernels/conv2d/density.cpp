#include "kernels/conv2d/density.hpp"

#include <algorithm>
#include <atomic>

#include "core/blocks.hpp"

namespace minicnn {
namespace {

constexpr std::int64_t kLarge = 1 << 16;
constexpr std::int64_t kStep = 16;
constexpr std::int64_t kStride = 5;  // images of 16 rows, too, are not seen at their first row only

}  // namespace

double density(const Shape4& shape, const float* numbers) noexcept {
  const std::int64_t step = shape.size() < kLarge ? 1 : kStep;
  const std::int64_t rows = shape.n * shape.h, row_size = shape.w * shape.c;
  std::atomic<std::int64_t> seen{0}, found{0};  // integers: any order of adding gives the same
  parallel_rows(blocks_of(rows, step), row_size, [&](std::int64_t i, int) {
    const float* row = numbers + std::min(i * step + i * kStride % step, rows - 1) * row_size;
    std::int64_t count = 0;
    for (std::int64_t k = 0; k < row_size; ++k) count += row[k] != 0;
    seen += row_size;
    found += count;
  });
  return seen == 0 ? 0 : double(found) / double(seen);
}

}  // namespace minicnn
