#pragma once

#include <cstdint>

#include "kernels/conv2d/micro.hpp"

namespace minicnn {

// At most this many products are added in a register before they join the output: the error then
// grows with the number of blocks, not of products.
constexpr std::int64_t kBlock = 256;

// The runs of one sum in blocks of at most kBlock products; block i ends before run ends[i], the
// first one starts with run `first`.
struct Sum {
  const Run* runs = nullptr;
  const std::int64_t* ends = nullptr;
  std::int64_t blocks = 0, first = 0;

  Sum part(std::int64_t begin, std::int64_t end) const {  // of the blocks [begin, end)
    return {runs, ends + begin, end - begin, begin == 0 ? first : ends[begin - 1]};
  }
};

// Appends runs to a sum and starts a new block whenever one is full.
class SumWriter {
 public:
  SumWriter(Run* runs, std::int64_t* ends) : runs_(runs), ends_(ends) {}

  // Products k, k + 1, ... have their factors a_step and b_row apart.
  void append(std::int64_t a, std::int64_t b, std::int64_t length, std::int64_t a_step,
              std::int64_t b_row);
  Sum sum() const;

 private:
  Run* runs_;
  std::int64_t* ends_;
  std::int64_t run_count_ = 0, full_blocks_ = 0, in_block_ = 0;
};

// Runs that a sum of `products` in `pieces` appended pieces may need, and blocks.
inline std::int64_t most_runs(std::int64_t products, std::int64_t pieces) {
  return pieces + products / kBlock + 1;
}
inline std::int64_t most_blocks(std::int64_t products) { return products / kBlock + 1; }

// out (rows, columns), its rows out_row apart, = or += bias + the sum, then perhaps ReLU; see Tile.
struct Product {
  const float* a;
  std::int64_t a_row, a_step;
  const float* b;
  std::int64_t b_row;
  Sum sum;
  const float* bias;
  float* out;
  std::int64_t out_row;
  bool add;
  bool relu = false;
  bool stream = false;  // only with one block of products
  const std::int64_t* a_rows = nullptr;
};

// Any number of rows, at most micro.columns columns, micro.row_columns of a single row; rows are
// cut in tiles of nearly equal height.
void multiply(const Micro& micro, const Product& product, std::int64_t rows, std::int64_t columns);

}  // namespace minicnn
