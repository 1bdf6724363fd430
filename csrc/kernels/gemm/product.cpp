#include "kernels/gemm/product.hpp"

#include <algorithm>

namespace minicnn {

void BlockedSumWriter::append(std::int64_t a, std::int64_t b, std::int64_t length,
                              std::int64_t a_step, std::int64_t b_row) {
  while (length > 0) {
    const std::int64_t piece = std::min(length, kBlockProducts - in_block_);
    Segment* last = segment_count_ > 0 && in_block_ > 0 ? &segments_[segment_count_ - 1] : nullptr;
    if (last != nullptr && a == last->a + last->length * a_step &&
        b == last->b + last->length * b_row) {
      last->length += piece;
    } else {
      segments_[segment_count_++] = {a, b, piece};
    }
    in_block_ = (in_block_ + piece) % kBlockProducts;
    if (in_block_ == 0) ends_[full_blocks_++] = segment_count_;
    a += piece * a_step;
    b += piece * b_row;
    length -= piece;
  }
}

BlockedSum BlockedSumWriter::sum() const {
  if (in_block_ > 0) ends_[full_blocks_] = segment_count_;
  return {segments_, ends_, full_blocks_ + (in_block_ > 0), 0};
}

// Loops over tiles inside blocks: a block of b stays in the L1 cache for all tiles.
void multiply_matrices(const MicroKernel& micro, const MatrixProduct& p, std::int64_t rows,
                       std::int64_t columns) {
  const std::int64_t tiles = (rows + micro.rows - 1) / micro.rows;
  const std::int64_t height = rows / tiles,
                     higher = rows % tiles;  // the first `higher` tiles have one row more
  MicroTile tile{p.a,      p.a_row, p.a_step, p.b,       p.b_row, p.sum.segments + p.sum.first,
                 0,        p.bias,  p.out,    p.out_row, p.add,   false,
                 p.stream, p.a_rows};
  std::int64_t first_segment = p.sum.first;
  for (std::int64_t block = 0; block < p.sum.blocks; ++block) {
    tile.segment_count = p.sum.ends[block] - first_segment;
    tile.relu = p.relu && block + 1 == p.sum.blocks;
    tile.a = p.a;
    tile.a_rows = p.a_rows;
    tile.out = p.out;
    for (std::int64_t i = 0; i < tiles; ++i) {
      const std::int64_t tile_rows = height + (i < higher);
      micro.multiply(tile, int(tile_rows), int(columns));
      if (p.a_rows == nullptr) {
        tile.a += tile_rows * p.a_row;
      } else {
        tile.a_rows += tile_rows;
      }
      tile.out += tile_rows * p.out_row;
    }
    tile.segments += tile.segment_count;
    first_segment += tile.segment_count;
    tile.bias = nullptr;
    tile.add = true;
  }
}

}  // namespace minicnn
