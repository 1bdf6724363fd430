#include "kernels/conv2d/winograd/products.hpp"

#include <algorithm>

#include "core/parallel.hpp"

namespace minicnn {
namespace {

// The most bytes that V and one slice of M may take for a block of tiles: they then fit an L2 cache
// of 512 KB. 640 KB were as fast, 1000 KB up to 7 % slower (AMD EPYC 9005, 1 MB of L2 per core,
// 2026-11).
constexpr std::int64_t kBlockBytes = 400 << 10;
constexpr std::int64_t kMinTiles = 2, kMaxTiles = 4;  // per block, in tiles of the micro-kernel

std::int64_t tiles_of_block(const WinogradTransforms& transforms, const MicroKernel& micro,
                            std::int64_t channels) {
  const std::int64_t bytes =
      transforms.values() * (channels + micro.columns) * std::int64_t(sizeof(float)) * micro.rows;
  return micro.rows * std::clamp(kBlockBytes / bytes, kMinTiles, kMaxTiles);
}

BlockedSum sum_of_channels(std::int64_t channels, std::int64_t columns,
                           ScratchAllocator& allocator) {
  const std::int64_t blocks = ceil_div(channels, kWinogradBlock);
  Segment* segments = allocator.allocate<Segment>(blocks);
  std::int64_t* ends = allocator.allocate<std::int64_t>(blocks);
  return segments == nullptr ? BlockedSum{} : winograd_sum(channels, 1, columns, segments, ends);
}

}  // namespace

BlockedSum winograd_sum(std::int64_t products, std::int64_t a_step, std::int64_t b_row,
                        Segment* segments, std::int64_t* ends) {
  const std::int64_t blocks = ceil_div(products, kWinogradBlock);
  for (std::int64_t i = 0; i < blocks; ++i) {
    const std::int64_t first = i * kWinogradBlock;
    segments[i] = {first * a_step, first * b_row, std::min(kWinogradBlock, products - first)};
    ends[i] = i + 1;
  }
  return {segments, ends, blocks, 0};
}

WinogradProducts::WinogradProducts(const WinogradTransforms& transforms, const TileGrid& grid,
                                   const SquareReader& reader, std::int64_t top, std::int64_t left,
                                   std::int64_t filters, const float* u,
                                   ScratchAllocator& allocator)
    : transforms_(transforms),
      micro_(gemm_micro_kernel()),
      grid_(grid),
      reader_(reader),
      top_(top),
      left_(left),
      filters_(filters),
      u_(u),
      slices_(ceil_div(filters, micro_.columns)),
      block_tiles_(std::min(grid.tiles(), tiles_of_block(transforms, micro_, reader.shape.c))),
      blocks_(block_tiles_ == 0 ? 0 : ceil_div(grid.tiles(), block_tiles_)),
      row_(row_pitch(reader.shape.c)),
      v_pitch_(matrix_pitch(block_tiles_ * row_)),
      u_pitch_(matrix_pitch(reader.shape.c * micro_.columns)),
      m_pitch_(matrix_pitch(block_tiles_ * micro_.columns)),
      channels_(sum_of_channels(reader.shape.c, micro_.columns, allocator)),
      v_(allocator.allocate<float>(max_workers() * transforms.values() * v_pitch_)),
      m_(allocator.allocate<float>(max_workers() * transforms.values() * m_pitch_)),
      patches_(allocator.allocate<float>(max_workers() * reader.patch_size())),
      loaded_(allocator.allocate<std::int64_t>(max_workers())) {
  if (loaded_ != nullptr) std::fill_n(loaded_, max_workers(), 0);
}

void WinogradProducts::transform_inputs(std::int64_t first_tile, std::int64_t last_tile,
                                        int worker) const {
  float* patch = patches_ + worker * reader_.patch_size();
  WinogradSquare square{};
  square.to = v_ + worker * transforms_.values() * v_pitch_;
  square.to_row = transforms_.points * v_pitch_;
  square.to_column = v_pitch_;
  square.channels = reader_.shape.c;
  for (std::int64_t tile = first_tile; tile < last_tile; ++tile, square.to += row_) {
    const TilePosition at = grid_.position(tile);
    reader_.read(at.n, at.y - top_, at.x - left_, patch, square);
    transforms_.input(square);
  }
}

WinogradProducts::Result WinogradProducts::run(std::int64_t task, int worker) const {
  const std::int64_t block = task / slices_, slice = task % slices_;
  const std::int64_t first = block * block_tiles_;
  const std::int64_t last = std::min(first + block_tiles_, grid_.tiles());
  if (loaded_[worker] != block + 1) transform_inputs(first, last, worker);
  loaded_[worker] = block + 1;

  const std::int64_t filter = slice * micro_.columns;
  const std::int64_t columns = std::min<std::int64_t>(micro_.columns, filters_ - filter);
  const float* v = v_ + worker * transforms_.values() * v_pitch_;
  const float* u = u_ + slice * transforms_.values() * u_pitch_;
  float* m = m_ + worker * transforms_.values() * m_pitch_;
  for (std::int64_t i = 0; i < transforms_.values(); ++i) {
    const MatrixProduct product{v + i * v_pitch_, row_,      1,       u + i * u_pitch_,
                                micro_.columns,   channels_, nullptr, m + i * m_pitch_,
                                micro_.columns,   false};
    multiply_matrices(micro_, product, last - first, columns);
  }
  WinogradSquare square{};
  square.from = m;
  square.from_row = transforms_.points * m_pitch_;
  square.from_column = m_pitch_;
  square.channels = columns;
  return {first, last, filter, columns, square};
}

}  // namespace minicnn
