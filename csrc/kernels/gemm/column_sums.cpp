#include "kernels/gemm/column_sums.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "core/scratch.hpp"
#include "kernels/gemm/micro.hpp"

namespace minicnn {
namespace {

constexpr std::int64_t kFloatRows = 128;  // four partial sums of 32
constexpr std::int64_t kChunkRows = 1024;
constexpr std::int64_t kMaxChunks = 64;
constexpr std::int64_t kColumns = 64;  // at a time: whole cache lines, few enough for L1

std::int64_t chunks_of(std::int64_t rows) {
  return std::clamp<std::int64_t>(rows / kChunkRows, 1, kMaxChunks);
}

// Sums rows [begin, end) of `count` columns into total (count,). x and relu_mask point to row 0 of
// the first of these columns.
template <bool kReluMask>
void sum_rows(const float* x, const float* relu_mask, std::int64_t begin, std::int64_t end,
              std::int64_t row_stride, std::int64_t count, double* total) {
  std::fill_n(total, count, 0.0);
  for (std::int64_t row = begin; row < end; row += kFloatRows) {
    float part[kColumns] = {};
    const std::int64_t last = std::min(row + kFloatRows, end);
    if constexpr (kReluMask) {
      for (std::int64_t i = row; i < last; ++i) {
        for (std::int64_t c = 0; c < count; ++c) {
          const float value =
              x[i * row_stride + c];  // read unconditionally: a select, not a branch
          part[c] += relu_mask[i * row_stride + c] > 0 ? value : 0.0F;
        }
      }
    } else {
      const RowSums sums{x + row * row_stride, row_stride, last - row, int(count), false};
      gemm_micro_kernel().sum_rows(sums, part);
    }
    for (std::int64_t c = 0; c < count; ++c) total[c] += double(part[c]);
  }
}

}  // namespace

void column_sums(const float* x, std::int64_t rows, std::int64_t columns, float* out, char* scratch,
                 const float* relu_mask) noexcept {
  const std::int64_t chunks = chunks_of(rows);
  double* totals = ScratchAllocator(scratch).allocate<double>(chunks * columns);
  parallel_for(chunks, [&](std::int64_t chunk, int) {
    for (std::int64_t first = 0; first < columns; first += kColumns) {
      const auto sum = relu_mask == nullptr ? sum_rows<false> : sum_rows<true>;
      sum(x + first, relu_mask == nullptr ? nullptr : relu_mask + first, rows * chunk / chunks,
          rows * (chunk + 1) / chunks, columns, std::min(kColumns, columns - first),
          totals + chunk * columns + first);
    }
  });
  for (std::int64_t c = 0; c < columns; ++c) {
    double total = 0;
    for (std::int64_t chunk = 0; chunk < chunks; ++chunk) total += totals[chunk * columns + c];
    out[c] = float(total);
  }
}

std::size_t column_sums_scratch(std::int64_t rows, std::int64_t columns) {
  ScratchAllocator counter(nullptr);
  counter.allocate<double>(chunks_of(rows) * columns);
  return counter.bytes();
}

}  // namespace minicnn
