#include "kernels/conv2d/sparse/density.hpp"

#include <algorithm>
#include <atomic>

#include "core/blocks.hpp"

namespace minicnn {
namespace {

constexpr std::int64_t kMinSampledValues = 1 << 16;
constexpr std::int64_t kStep = 16;
constexpr std::int64_t kStride = 5;  // reads different rows of images that have 16 rows

}  // namespace

double density(const Shape4& shape, const float* values) noexcept {
  const std::int64_t step = shape.size() < kMinSampledValues ? 1 : kStep;
  const std::int64_t rows = shape.n * shape.h, row_size = shape.w * shape.c;
  std::atomic<std::int64_t> total{0},
      nonzero{0};  // integers: the order of additions does not matter
  parallel_rows(ceil_div(rows, step), row_size, [&](std::int64_t i, int) {
    const float* row = values + std::min(i * step + i * kStride % step, rows - 1) * row_size;
    std::int64_t count = 0;
    for (std::int64_t k = 0; k < row_size; ++k) count += row[k] != 0;
    total += row_size;
    nonzero += count;
  });
  return total == 0 ? 0 : double(nonzero) / double(total);
}

}  // namespace minicnn
