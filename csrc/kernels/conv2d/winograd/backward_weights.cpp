#include <algorithm>

#include "core/parallel.hpp"
#include "kernels/conv2d/winograd/products.hpp"
#include "kernels/conv2d/winograd/winograd.hpp"
#include "kernels/gemm/column_sums.hpp"

// dw is a convolution, too: of x with a kernel of 4 x 4 values of dy, one for each tile, whose KH x
// KW outputs are summed over the tiles. The sum is taken between the transforms, as matrix
// products: for each point, dW^ (C, filters) += V^T (C, tiles) G (tiles, filters), where V comes
// from x and G from dy. At the end dw is transformed from dW^ once.
//
// All workers first compute V and G for a block of tiles, then multiply them. No value is computed
// twice, and the order of the sums does not depend on the number of workers.

namespace minicnn {
namespace {

constexpr std::int64_t kBlockTiles = 2 * kWinogradBlock, kMinTiles = 64;
// The most bytes that V and G of a block may take, which leave room for dW^ in the last-level
// cache.
constexpr std::int64_t kBlockBytes = std::int64_t{8} << 20;
constexpr std::int64_t kTaskTiles = 8;   // transformed by one task
constexpr std::int64_t kSumBlocks = 32;  // per partial sum, which is then added to the total

class WinogradWeightGradient {
 public:
  WinogradWeightGradient(const Conv2D& conv, const float* dy, const float* y, const float* x,
                         ScratchAllocator& allocator);

  void run(float* dw) const;

 private:
  std::int64_t tiles_of_block() const;
  std::int64_t filters_of(std::int64_t slice) const;
  void transform_block(std::int64_t first, std::int64_t last) const;
  void transform_x(const TilePosition& at, std::int64_t row, float* patch) const;
  void transform_dy(const TilePosition& at, std::int64_t row, float* patch) const;
  void add_products(std::int64_t tiles, float* sums, bool add) const;
  void add_to_total() const;
  void transform_total(float* dw) const;

  Conv2D conv_;
  const WinogradTransforms& transforms_;
  const MicroKernel& micro_;
  TileGrid grid_;
  SquareReader x_, dy_;
  std::int64_t columns_, slices_, block_tiles_, blocks_;
  std::int64_t v_row_, v_pitch_, g_pitch_, sum_pitch_;  // pitch: floats from point to point
  float* v_;                                            // (points, tiles, C)
  float* g_;              // (slices, points, tiles, filters of a slice)
  float *total_, *sums_;  // (slices, points, C, filters of a slice); the first sum is the total
  std::int64_t patch_size_;
  float* patches_;  // (workers, patch_size_), for x or dy
};

WinogradWeightGradient::WinogradWeightGradient(const Conv2D& conv, const float* dy, const float* y,
                                               const float* x, ScratchAllocator& allocator)
    : conv_(conv),
      transforms_(winograd_transforms(conv.window.kh)),
      micro_(gemm_micro_kernel()),
      grid_{conv.x.n, conv.oh(), conv.ow()},
      x_{conv.x, x, nullptr, transforms_.points},
      dy_{conv.y(), dy, y, kWinogradOutputs},
      columns_(micro_.columns),
      slices_(ceil_div(conv.filters, columns_)),
      block_tiles_(tiles_of_block()),
      blocks_(ceil_div(grid_.tiles(), block_tiles_)),
      v_row_(row_pitch(conv.x.c)),
      v_pitch_(matrix_pitch(block_tiles_ * v_row_)),
      g_pitch_(matrix_pitch(block_tiles_ * columns_)),
      sum_pitch_(matrix_pitch(conv.x.c * columns_)),
      v_(allocator.allocate<float>(transforms_.values() * v_pitch_)),
      g_(allocator.allocate<float>(slices_ * transforms_.values() * g_pitch_)),
      total_(allocator.allocate<float>(slices_ * transforms_.values() * sum_pitch_)),
      sums_(blocks_ > kSumBlocks
                ? allocator.allocate<float>(slices_ * transforms_.values() * sum_pitch_)
                : nullptr),
      patch_size_(std::max(x_.patch_size(), dy_.patch_size())),
      patches_(allocator.allocate<float>(max_workers() * patch_size_)) {}

std::int64_t WinogradWeightGradient::tiles_of_block() const {
  const std::int64_t floats = transforms_.values() * (conv_.x.c + slices_ * columns_);
  const std::int64_t room = kBlockBytes / (floats * std::int64_t(sizeof(float)));
  const std::int64_t tiles = std::clamp(room / kTaskTiles * kTaskTiles, kMinTiles, kBlockTiles);
  return std::min(tiles, grid_.tiles());
}

std::int64_t WinogradWeightGradient::filters_of(std::int64_t slice) const {
  return std::min(columns_, conv_.filters - slice * columns_);
}

void WinogradWeightGradient::transform_x(const TilePosition& at, std::int64_t row,
                                         float* patch) const {
  WinogradSquare square{};
  x_.read(at.n, at.y - conv_.window.top, at.x - conv_.window.left, patch, square);
  square.to = v_ + row * v_row_;
  square.to_row = transforms_.points * v_pitch_;
  square.to_column = v_pitch_;
  square.channels = conv_.x.c;
  transforms_.input(square);
}

void WinogradWeightGradient::transform_dy(const TilePosition& at, std::int64_t row,
                                          float* patch) const {
  WinogradSquare square{};
  dy_.read(at.n, at.y, at.x, patch, square);
  square.to = g_ + row * columns_;
  square.to_row = transforms_.points * g_pitch_;
  square.to_column = g_pitch_;
  for (std::int64_t slice = 0; slice < slices_; ++slice) {
    square.channels = filters_of(slice);
    transforms_.dy(square);
    square.from += columns_;
    square.to += transforms_.values() * g_pitch_;
    if (square.relu_mask != nullptr) square.relu_mask += columns_;
  }
}

void WinogradWeightGradient::transform_block(std::int64_t first, std::int64_t last) const {
  const std::int64_t tasks = ceil_div(last - first, kTaskTiles);
  parallel_for(2 * tasks, [&](std::int64_t task, int worker) {
    float* patch = patches_ + worker * patch_size_;
    const std::int64_t begin = first + task / 2 * kTaskTiles;
    for (std::int64_t tile = begin; tile < std::min(begin + kTaskTiles, last); ++tile) {
      const TilePosition at = grid_.position(tile);
      task % 2 == 0 ? transform_x(at, tile - first, patch) : transform_dy(at, tile - first, patch);
    }
  });
}

// A task is a point and a slice of filters; no other task writes its sums.
void WinogradWeightGradient::add_products(std::int64_t tiles, float* sums, bool add) const {
  Segment segments[kBlockTiles / kWinogradBlock];
  std::int64_t ends[kBlockTiles / kWinogradBlock];
  const BlockedSum sum = winograd_sum(tiles, v_row_, columns_, segments, ends);
  parallel_for(transforms_.values() * slices_, [&](std::int64_t task, int) {
    const std::int64_t point = task / slices_, slice = task % slices_;
    const std::int64_t matrix = slice * transforms_.values() + point;
    const MatrixProduct product{v_ + point * v_pitch_,
                                1,
                                v_row_,
                                g_ + matrix * g_pitch_,
                                columns_,
                                sum,
                                nullptr,
                                sums + matrix * sum_pitch_,
                                columns_,
                                add};
    multiply_matrices(micro_, product, conv_.x.c, filters_of(slice));
  });
}

void WinogradWeightGradient::add_to_total() const {
  parallel_for(slices_ * transforms_.values(), [&](std::int64_t matrix, int) {
    const float* sums = sums_ + matrix * sum_pitch_;
    float* total = total_ + matrix * sum_pitch_;
    for (std::int64_t i = 0; i < conv_.x.c * columns_; ++i) total[i] += sums[i];
  });
}

void WinogradWeightGradient::transform_total(float* dw) const {
  parallel_for(slices_ * conv_.x.c, [&](std::int64_t task, int) {
    const std::int64_t slice = task / conv_.x.c, channel = task % conv_.x.c;
    WinogradSquare square{};
    square.from = total_ + slice * transforms_.values() * sum_pitch_ + channel * columns_;
    square.from_row = transforms_.points * sum_pitch_;
    square.from_column = sum_pitch_;
    square.to = dw + channel * conv_.filters + slice * columns_;
    square.to_row = conv_.window.kw * conv_.x.c * conv_.filters;
    square.to_column = conv_.x.c * conv_.filters;
    square.channels = filters_of(slice);
    transforms_.dw(square);
  });
}

void WinogradWeightGradient::run(float* dw) const {
  for (std::int64_t block = 0; block < blocks_; ++block) {
    const std::int64_t first = block * block_tiles_;
    const std::int64_t last = std::min(first + block_tiles_, grid_.tiles());
    transform_block(first, last);
    add_products(last - first, block < kSumBlocks ? total_ : sums_, block % kSumBlocks != 0);
    const bool sum_ends = block % kSumBlocks == kSumBlocks - 1 || block == blocks_ - 1;
    if (sum_ends && block >= kSumBlocks) add_to_total();
  }
  transform_total(dw);
}

}  // namespace

void winograd_backward_weights(const Conv2D& conv, const float* dy, const float* y, const float* x,
                               float* dw, float* db, char* scratch) noexcept {
  const std::int64_t pixels = conv.x.n * conv.oh() * conv.ow();
  if (db != nullptr) column_sums(dy, pixels, conv.filters, db, scratch, y);
  if (pixels == 0) {
    std::fill_n(dw, conv.weights(), 0.0F);
    return;
  }
  ScratchAllocator allocator(scratch);
  WinogradWeightGradient(conv, dy, y, x, allocator).run(dw);
}

std::size_t winograd_backward_weights_scratch(const Conv2D& conv) {
  const std::int64_t pixels = conv.x.n * conv.oh() * conv.ow();
  if (pixels == 0) return column_sums_scratch(0, conv.filters);
  ScratchAllocator counter(nullptr);
  const WinogradWeightGradient sums(conv, nullptr, nullptr, nullptr, counter);
  return std::max(counter.bytes(), column_sums_scratch(pixels, conv.filters));
}

}  // namespace minicnn
