#include <algorithm>

#include "core/parallel.hpp"
#include "kernels/conv2d/pooled_moments.hpp"
#include "kernels/conv2d/winograd/products.hpp"
#include "kernels/conv2d/winograd/winograd.hpp"

// A tile of 4 x 4 outputs is 2 x 2 pooling windows. They are pooled in a patch that stays in the L1
// cache, and only their maxima are written to y.

namespace minicnn {
namespace {

constexpr std::int64_t kSide = kWinogradOutputs;

struct PooledTiles {
  PooledTiles(const PooledConv2D& pooled, const float* x, const float* u, const float* bias,
              ScratchAllocator& allocator)
      : op(pooled),
        b(bias),
        grid{op.conv.x.n, 2 * op.y().h, 2 * op.y().w},
        transforms(winograd_transforms(op.conv.window.kh)),
        products(transforms, grid, {op.conv.x, x, nullptr, transforms.points}, op.conv.window.top,
                 op.conv.window.left, op.conv.filters, u, allocator),
        patch_size(kSide * kSide * gemm_micro_kernel().columns),
        patches(allocator.allocate<float>(max_workers() * patch_size)),
        moments(op, products.tasks(), gemm_micro_kernel().columns, allocator) {}

  void run(std::int64_t task, float* y, std::uint8_t* argmax, int worker) const;

  PooledConv2D op;
  const float* b;
  TileGrid grid;  // of the outputs that the pooling reads
  const WinogradTransforms& transforms;
  WinogradProducts products;
  std::int64_t patch_size;
  float* patches;  // (workers, 4, 4, columns of a slice)
  PooledMoments moments;

 private:
  void pool(const TilePosition& at, std::int64_t filter, std::int64_t columns, const float* patch,
            float* y, std::uint8_t* argmax) const;
  void gather(std::int64_t task, std::int64_t first, std::int64_t last, std::int64_t filter,
              const float* y) const;
};

void PooledTiles::pool(const TilePosition& at, std::int64_t filter, std::int64_t columns,
                       const float* patch, float* y, std::uint8_t* argmax) const {
  const auto [n, ph, pw, filters] = op.y();
  // Prefetches what the next tile will write, so that its stores do not have to wait.
  const std::int64_t tile = ((at.n * ph + at.y / 2) * pw + at.x / 2) * filters + filter;
  for (std::int64_t j = 2; j < 4; ++j) {
    prefetch<true>(y + tile + j * filters, 2, pw * filters, columns);
    prefetch<true>(argmax + tile + j * filters, 2, pw * filters, columns);
  }
  const PoolWindows window{1, 0, 2, 2, kSide * columns, columns, 0, 2};
  for (std::int64_t i = 0; i < std::min<std::int64_t>(2, ph - at.y / 2); ++i) {
    for (std::int64_t j = 0; j < std::min<std::int64_t>(2, pw - at.x / 2); ++j) {
      const std::int64_t cell = (at.n * ph + at.y / 2 + i) * pw + at.x / 2 + j;
      const std::int64_t to = cell * filters + filter;
      simd_loops().max_pool(window, patch + 2 * (i * kSide + j) * columns, op.relu, y + to,
                            argmax + to);
    }
  }
}

void PooledTiles::run(std::int64_t task, float* y, std::uint8_t* argmax, int worker) const {
  auto [first, last, filter, columns, square] = products.run(task, worker);
  square.to = patches + worker * patch_size;
  square.to_row = kSide * columns;
  square.to_column = columns;
  square.bias = b == nullptr ? nullptr : b + filter;
  for (std::int64_t tile = first; tile < last; ++tile) {
    transforms.outputs(square);
    pool(grid.position(tile), filter, columns, square.to, y, argmax);
    square.from += gemm_micro_kernel().columns;
  }
  if (moments.needed()) gather(task, first, last, filter, y);
}

// Adds the tiles [first, last) to the moments of their task: the tiles in one row are two rows of
// y.
void PooledTiles::gather(std::int64_t task, std::int64_t first, std::int64_t last,
                         std::int64_t filter, const float* y) const {
  const auto [n, ph, pw, filters] = op.y();
  Moments part = moments.start(task);
  for (std::int64_t tile = first; tile < last;) {
    const TilePosition at = grid.position(tile);
    const std::int64_t count = std::min(last - tile, grid.columns() - at.x / kSide);
    const std::int64_t px = at.x / 2, columns = std::min(2 * count, pw - px);
    for (std::int64_t py = at.y / 2; py < std::min(at.y / 2 + 2, ph); ++py) {
      part.add(y + ((at.n * ph + py) * pw + px) * filters + filter, columns, filters);
    }
    tile += count;
  }
}

}  // namespace

bool winograd_fits(const PooledConv2D& op) {
  const Window2D& pool = op.pool;
  const bool halves = pool.kh == 2 && pool.kw == 2 && pool.sy == 2 && pool.sx == 2;
  return winograd_fits(op.conv) && halves && pool.top + pool.bottom + pool.left + pool.right == 0;
}

void winograd_pooled_forward(const PooledConv2D& op, const float* x, const float* u, const float* b,
                             float* y, std::uint8_t* argmax, double* moments,
                             char* scratch) noexcept {
  ScratchAllocator allocator(scratch);
  const PooledTiles tiles(op, x, u, b, allocator);
  parallel_for(tiles.products.tasks(),
               [&](std::int64_t task, int worker) { tiles.run(task, y, argmax, worker); });
  tiles.moments.finish(moments);
}

std::size_t winograd_pooled_forward_scratch(const PooledConv2D& op) {
  ScratchAllocator counter(nullptr);
  const PooledTiles tiles(op, nullptr, nullptr, nullptr, counter);
  return counter.bytes();
}

}  // namespace minicnn
