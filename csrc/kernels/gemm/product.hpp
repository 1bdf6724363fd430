#pragma once

#include <cstdint>

#include "kernels/gemm/micro.hpp"

namespace minicnn {

// At most this many products are added up in a register before their sum is added to the output:
// the rounding error then grows with the number of blocks, not of products.
constexpr std::int64_t kBlockProducts = 256;

// The segments of one sum of products, in blocks of at most kBlockProducts products. Block i ends
// before segment ends[i]; the first block starts with segment `first`.
struct BlockedSum {
  const Segment* segments = nullptr;
  const std::int64_t* ends = nullptr;
  std::int64_t blocks = 0, first = 0;

  // The sum of the blocks [begin, end) alone.
  BlockedSum part(std::int64_t begin, std::int64_t end) const {
    return {segments, ends + begin, end - begin, begin == 0 ? first : ends[begin - 1]};
  }
};

// Appends segments to a sum and starts a new block when one is full.
class BlockedSumWriter {
 public:
  BlockedSumWriter(Segment* segments, std::int64_t* ends) : segments_(segments), ends_(ends) {}

  // Appends `length` products. The factors of consecutive products are a_step and b_row floats
  // apart.
  void append(std::int64_t a, std::int64_t b, std::int64_t length, std::int64_t a_step,
              std::int64_t b_row);
  BlockedSum sum() const;

 private:
  Segment* segments_;
  std::int64_t* ends_;
  std::int64_t segment_count_ = 0, full_blocks_ = 0, in_block_ = 0;
};

// The most segments, and the most blocks, that a sum of `products` products can have when they are
// appended in `pieces` calls.
inline std::int64_t max_segments(std::int64_t products, std::int64_t pieces) {
  return pieces + products / kBlockProducts + 1;
}
inline std::int64_t max_blocks(std::int64_t products) { return products / kBlockProducts + 1; }

// out (rows, columns) = or += bias + sum, then ReLU if `relu`. The fields mean the same as in
// MicroTile.
struct MatrixProduct {
  const float* a;
  std::int64_t a_row, a_step;
  const float* b;
  std::int64_t b_row;
  BlockedSum sum;
  const float* bias;
  float* out;
  std::int64_t out_row;
  bool add;
  bool relu = false;
  bool stream = false;  // only for a sum of one block
  const std::int64_t* a_rows = nullptr;
};

// Computes the product for any number of rows and at most micro.columns columns (micro.row_columns
// for a single row). The rows are divided into tiles of nearly equal height.
void multiply_matrices(const MicroKernel& micro, const MatrixProduct& product, std::int64_t rows,
                       std::int64_t columns);

}  // namespace minicnn
