#pragma once

#include <cstdint>

#include "core/scratch.hpp"
#include "kernels/conv2d/winograd/tiles.hpp"
#include "kernels/gemm/product.hpp"

namespace minicnn {

// The most products that are added up in a register: fewer than kBlockProducts, since the output
// transform enlarges the errors. The largest error with 300 channels, relative to the rms of the
// output, is 6e-6; with kBlockProducts it would be 9e-6.
constexpr std::int64_t kWinogradBlock = 128;

// Returns a sum of `products` products in such blocks; consecutive factors are a_step and b_row
// floats apart. Writes ceil_div(products, kWinogradBlock) segments and ends.
BlockedSum winograd_sum(std::int64_t products, std::int64_t a_step, std::int64_t b_row,
                        Segment* segments, std::int64_t* ends);

// The middle part of Winograd's algorithm: from tiles of x to the values that the output transform
// reads. Made once per call and used by all workers.
//
// A block of tiles stays in the L1 and L2 caches: its transformed inputs V, of all channels, and
// the products M = V U of each point for one slice of filters after the other. A task is a block
// and a slice. Tasks of the same block follow each other, so a worker transforms the inputs of a
// block once. A block may hold tiles of several images. The bits of a product depend on its tile
// alone, not on the block.
class WinogradProducts {
 public:
  // x is read through `reader`, beginning `top` rows and `left` columns before a tile's first
  // output.
  WinogradProducts(const WinogradTransforms& transforms, const TileGrid& grid,
                   const SquareReader& reader, std::int64_t top, std::int64_t left,
                   std::int64_t filters, const float* u, ScratchAllocator& allocator);

  std::int64_t tasks() const { return blocks_ * slices_; }

  // The products of a task: those of the tiles [first_tile, last_tile) and of `columns` filters
  // from `filter` on.
  struct Result {
    std::int64_t first_tile, last_tile, filter, columns;
    WinogradSquare square;  // reads the first tile's; the next tile's are micro.columns floats on
  };
  Result run(std::int64_t task, int worker) const;

 private:
  void transform_inputs(std::int64_t first_tile, std::int64_t last_tile, int worker) const;

  const WinogradTransforms& transforms_;
  const MicroKernel& micro_;
  TileGrid grid_;
  SquareReader reader_;
  std::int64_t top_, left_, filters_;
  const float* u_;
  std::int64_t slices_, block_tiles_, blocks_;
  std::int64_t row_;                          // floats from one tile to the next in V
  std::int64_t v_pitch_, u_pitch_, m_pitch_;  // floats from one point to the next
  BlockedSum channels_;
  float *v_, *m_, *patches_;  // (workers, points, tiles, channels or columns of a slice)
  std::int64_t* loaded_;      // (workers,) one more than the block whose inputs are in V
};

}  // namespace minicnn
