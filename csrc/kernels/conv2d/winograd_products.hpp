#pragma once

#include <cstdint>

#include "kernels/conv2d/carver.hpp"
#include "kernels/conv2d/product.hpp"
#include "kernels/conv2d/winograd_tiles.hpp"

namespace minicnn {

// Products that are added in a register before they join the output: fewer than kBlock, as the
// outputs' transform enlarges the errors. Largest error of 300 channels by the output's rms: 6e-6,
// with kBlock 9e-6.
constexpr std::int64_t kWinogradBlock = 128;

// A sum of `products` in such blocks: its factors are a_step and b_row apart. Writes
// ceil_div(products, kWinogradBlock) runs and ends.
Sum winograd_sum(std::int64_t products, std::int64_t a_step, std::int64_t b_row, Run* runs,
                 std::int64_t* ends);

// The middle of Winograd's algorithm: from tiles of x to the values that the outputs' transform
// takes. Made once a call, used by all workers.
//
// A block of tiles stays in the nearest caches: its transformed inputs V, of all channels, and for
// one slice of filters after the other the products M = V U of each point. So a task is a block and
// a slice; tasks of one block follow each other, and a worker transforms its inputs once. Tiles of
// several images share a block. A product's bits depend on its tile alone, not on the block.
class WinogradProducts {
 public:
  // x is read through `reader` from (top, left) before a tile's first output on.
  WinogradProducts(const WinogradTransforms& transforms, const TileGrid& grid,
                   const SquareReader& reader, std::int64_t top, std::int64_t left,
                   std::int64_t filters, const float* u, Carver& carver);

  std::int64_t tasks() const { return blocks_ * slices_; }

  // The products of a task, and where they belong.
  struct Result {
    std::int64_t first_tile, last_tile, filter, columns;
    WinogradSquare square;  // reads those of the first tile; the next tile's are micro.columns on
  };
  Result run(std::int64_t task, int worker) const;

 private:
  void transform_inputs(std::int64_t first_tile, std::int64_t last_tile, int worker) const;

  const WinogradTransforms& transforms_;
  const Micro& micro_;
  TileGrid grid_;
  SquareReader reader_;
  std::int64_t top_, left_, filters_;
  const float* u_;
  std::int64_t slices_, block_tiles_, blocks_;
  std::int64_t row_;                          // floats from one tile to the next in V
  std::int64_t v_pitch_, u_pitch_, m_pitch_;  // floats from one point to the next
  Sum channels_;
  float *v_, *m_, *patches_;  // (workers, points, tiles, channels or columns of a slice)
  std::int64_t* loaded_;      // (workers,) one more than the block whose inputs are in V
};

}  // namespace minicnn
