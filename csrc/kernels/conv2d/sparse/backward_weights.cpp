#include "kernels/conv2d/sparse/backward_weights.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "core/scratch.hpp"
#include "kernels/conv2d/sparse/micro.hpp"
#include "kernels/conv2d/sparse/patches.hpp"
#include "kernels/gemm/transpose.hpp"

// dw[., ., ., f] is the sum over the pooling windows of dy[window, f] times the patch of x that the
// window's argmax read: one product in four of the dense sum, fewer if the ReLU clipped.
//
// A tile of windows is in the L1 cache as the pixels of x under it, padding included. For each
// filter, the non-zero gradients of the tile are listed; then their patches are added up in
// registers.
//
// A convolution without a pooling is treated as one with pooling windows of a single cell, whose
// gradient is zero if the ReLU clipped it.
//
// The order of a sum depends on the shapes only: first the terms of a tile, then the tiles of a
// leaf, then the leaves of a chunk; the sums of chunks are added in pairs.

namespace minicnn {
namespace {

// Tuned on AMD EPYC 9005 (48 KB of L1 and 1 MB of L2 per core), 2026-11.
constexpr std::int64_t kTileCells = 256;  // of all its pooling windows
constexpr std::int64_t kTileColumns = 32;
constexpr std::int64_t kTileFloats = 10240;   // of x, for one block of channels
constexpr std::int64_t kSliceFilters = 64;    // that use a tile together
constexpr std::int64_t kSliceFloats = 81920;  // of their sums

constexpr std::int64_t kLeafTiles = 64;
constexpr std::int64_t kMinTiles = 4;  // per chunk
constexpr std::int64_t kEnoughTasks = 64;
constexpr std::int64_t kMaxChunkFloats = 2 << 20;  // of all chunks
constexpr std::int64_t kFinishedFilters = 16;      // filters whose sums one task finishes

// Windows [py0, py1) x [px0, px1) of images [n0, n1).
struct Region {
  std::int64_t n0, n1, py0, py1, px0, px1;
};

// How the windows of a batch are divided into tiles. This includes windows that the pooling drops
// because they are cut off at the border, so that every pixel of x is in a tile.
class Tiling {
 public:
  Tiling(const PooledConv2D& op, std::int64_t pitch);

  std::int64_t windows() const { return kTileCells / (step_ * step_); }  // per tile, at most
  std::int64_t tiles() const { return image_tiles_ * row_tiles_ * column_tiles_; }
  Region region(std::int64_t tile) const;
  std::int64_t height() const { return step_ * rows_ + kh_ - 1; }  // per image, in pixels of x
  std::int64_t width() const { return step_ * columns_ + kw_ - 1; }
  std::int64_t pixels() const { return images_ * height() * width(); }

 private:
  std::int64_t step_, batch_, ph_, pw_, kh_, kw_;  // step: pixels from window to window
  std::int64_t images_ = 1, rows_ = 1, columns_ = 1;
  std::int64_t image_tiles_, row_tiles_, column_tiles_;
};

Tiling::Tiling(const PooledConv2D& op, std::int64_t pitch)
    : step_(op.pool.sy),
      batch_(op.conv.x.n),
      ph_(ceil_div(op.conv.oh(), step_)),
      pw_(ceil_div(op.conv.ow(), step_)),
      kh_(op.conv.window.kh),
      kw_(op.conv.window.kw) {
  column_tiles_ = ceil_div(pw_, kTileColumns / step_);
  columns_ = ceil_div(pw_, column_tiles_);
  const auto fits = [&](std::int64_t images, std::int64_t rows) {
    const std::int64_t pixels = images * (step_ * rows + kh_ - 1) * width();
    return images * rows * columns_ <= windows() && pixels * pitch <= kTileFloats;
  };
  while (rows_ < ph_ && fits(1, rows_ + 1)) ++rows_;
  row_tiles_ = ceil_div(ph_, rows_);
  rows_ = ceil_div(ph_, row_tiles_);
  if (row_tiles_ * column_tiles_ == 1) {
    while (images_ < batch_ && fits(images_ + 1, rows_)) ++images_;
  }
  image_tiles_ = ceil_div(batch_, images_);
}

Region Tiling::region(std::int64_t tile) const {
  const std::int64_t column = tile % column_tiles_, row = tile / column_tiles_ % row_tiles_;
  const std::int64_t image = tile / column_tiles_ / row_tiles_;
  return {image * images_,   std::min(batch_, (image + 1) * images_),
          row * rows_,       std::min(ph_, (row + 1) * rows_),
          column * columns_, std::min(pw_, (column + 1) * columns_)};
}

class SparseWeightGradient {
 public:
  SparseWeightGradient(const PooledConv2D& op, const SparseGradient& gradient, const float* x,
                       ScratchAllocator& allocator);

  std::int64_t tasks() const { return chunks_ * slices_; }
  void run(std::int64_t task, int worker) const;
  std::int64_t finish_tasks() const { return ceil_div(filters_, kFinishedFilters); }
  // Adds up the chunks' sums of the filters of one task, and writes them to dw and db.
  void finish(std::int64_t task, float* dw, float* db) const;

 private:
  // Filters [first, first + count), and the memory of the worker that computes their sums.
  struct Slice {
    std::int64_t first, count;
    float *tile, *leaf;
    std::int64_t* gradients;
    std::int32_t* cells;
    ListWriter lists;
    double* bias;
  };

  Slice slice(std::int64_t task, int worker) const;
  void list_nonzero_terms(const Region& region, const Slice& slice) const;
  bool copy_tile(const Region& region, const ChannelBlock& block, float* tile) const;
  void add_nonzero_terms(const Region& region, const Slice& slice, float* sums) const;
  void add_all_terms(const Region& region, const Slice& slice, std::int64_t block,
                     float* sums) const;
  void add(const Slice& slice, const TermLists& terms, std::int64_t block, float* sums) const;
  float gradient_at(std::int64_t n, std::int64_t oy, std::int64_t ox, std::int64_t filter) const;
  float* partial(std::int64_t chunk) const { return partial_ + chunk * filters_ * patch_.size(); }

  PooledConv2D op_;
  SparseGradient gradient_;
  const float* x_;
  const SparseMicroKernel& micro_;
  Patches patch_;
  Tiling tiling_;
  std::int64_t step_, filters_, slice_filters_, slices_, chunks_ = 1, room_;
  float *partial_, *tiles_, *leaves_, *values_;  // partial_ (chunks, filters, patch)
  double* bias_;                                 // (chunks, filters)
  std::int64_t* gradients_;
  std::int32_t *cells_, *indices_, *begins_, *ends_, *filter_indices_;
};

SparseWeightGradient::SparseWeightGradient(const PooledConv2D& op, const SparseGradient& gradient,
                                           const float* x, ScratchAllocator& allocator)
    : op_(op),
      gradient_(gradient),
      x_(x),
      micro_(sparse_micro_kernel()),
      patch_(op.conv, micro_),
      tiling_(op, patch_.widest_pitch()),
      step_(op.pool.sy),
      filters_(op.conv.filters),
      room_(tiling_.windows() + micro_.lanes) {
  const std::int64_t units =
      std::min(kSliceFilters, kSliceFloats / patch_.size()) / kFinishedFilters;
  slice_filters_ = std::max<std::int64_t>(1, units) * kFinishedFilters;
  slices_ = ceil_div(filters_, slice_filters_);
  const std::int64_t floats = filters_ * patch_.size();
  while (chunks_ * slices_ < kEnoughTasks && 2 * chunks_ * kMinTiles <= tiling_.tiles() &&
         2 * chunks_ * floats <= kMaxChunkFloats) {
    chunks_ *= 2;
  }
  partial_ = allocator.allocate<float>(chunks_ * floats);
  bias_ = allocator.allocate<double>(chunks_ * filters_);
  const std::int64_t workers = max_workers(), listed = workers * slice_filters_;
  // Sums read their last vector to its end.
  tiles_ = allocator.allocate<float>(workers *
                                     (tiling_.pixels() * patch_.widest_pitch() + micro_.lanes));
  leaves_ = allocator.allocate<float>(listed * patch_.size());
  gradients_ = allocator.allocate<std::int64_t>(workers * tiling_.windows());
  cells_ = allocator.allocate<std::int32_t>(workers * tiling_.windows());
  values_ = allocator.allocate<float>(listed * room_);
  indices_ = allocator.allocate<std::int32_t>(listed * room_);
  begins_ = allocator.allocate<std::int32_t>(slice_filters_);
  ends_ = allocator.allocate<std::int32_t>(listed);
  filter_indices_ = allocator.allocate<std::int32_t>(slice_filters_);
  for (std::int64_t f = 0; begins_ != nullptr && f < slice_filters_; ++f) {
    begins_[f] = std::int32_t(f * room_);
    filter_indices_[f] = std::int32_t(f);
  }
}

SparseWeightGradient::Slice SparseWeightGradient::slice(std::int64_t task, int worker) const {
  const std::int64_t first = task % slices_ * slice_filters_, listed = worker * slice_filters_;
  return {first,
          std::min(slice_filters_, filters_ - first),
          tiles_ + worker * (tiling_.pixels() * patch_.widest_pitch() + micro_.lanes),
          leaves_ + listed * patch_.size(),
          gradients_ + worker * tiling_.windows(),
          cells_ + worker * tiling_.windows(),
          {values_ + listed * room_, indices_ + listed * room_, begins_, ends_ + listed},
          bias_ + task / slices_ * filters_ + first};
}

void SparseWeightGradient::list_nonzero_terms(const Region& region, const Slice& s) const {
  const Shape4 pooled = op_.y();
  std::int64_t count = 0;
  for (std::int64_t n = region.n0; n < region.n1; ++n) {
    for (std::int64_t py = region.py0; py < std::min(region.py1, pooled.h); ++py) {
      for (std::int64_t px = region.px0; px < std::min(region.px1, pooled.w); ++px, ++count) {
        s.gradients[count] = ((n * pooled.h + py) * pooled.w + px) * filters_ + s.first;
        const std::int64_t row = (n - region.n0) * tiling_.height() + step_ * (py - region.py0);
        s.cells[count] = std::int32_t(row * tiling_.width() + step_ * (px - region.px0));
      }
    }
  }
  std::fill(s.cells + count, s.cells + ceil_div(count, micro_.lanes) * micro_.lanes, 0);
  const TileWindows windows{s.gradients, s.cells, count, std::int32_t(tiling_.width())};
  float total[kFinishedFilters];
  for (std::int64_t f = 0; f < s.count; f += micro_.lanes) {
    const SparseGradient of_filters{gradient_.dy + f,
                                    gradient_.y == nullptr ? nullptr : gradient_.y + f,
                                    gradient_.argmax == nullptr ? nullptr : gradient_.argmax + f};
    const ListWriter lists{s.lists.values, s.lists.indices, s.lists.begins + f, s.lists.ends + f};
    const int lanes = int(std::min<std::int64_t>(micro_.lanes, s.count - f));
    micro_.list_by_filter(of_filters, windows, lanes, lists, total);
    for (int i = 0; i < lanes; ++i) s.bias[f + i] += double(total[i]);
  }
}

// Copies the tile's pixels of one block of channels, with zeros for padding; returns whether all
// are finite.
bool SparseWeightGradient::copy_tile(const Region& region, const ChannelBlock& block,
                                     float* tile) const {
  const auto [images, h, w, c] = op_.conv.x;
  const std::int64_t left = step_ * region.px0 - op_.conv.window.left;
  const std::int64_t width = step_ * (region.px1 - region.px0) + op_.conv.window.kw - 1;
  const std::int64_t height = step_ * (region.py1 - region.py0) + op_.conv.window.kh - 1;
  const std::int64_t begin = std::clamp<std::int64_t>(-left, 0, width);
  const std::int64_t end = std::clamp(w - left, begin, width);
  bool finite = true;
  for (std::int64_t n = region.n0; n < region.n1; ++n) {
    for (std::int64_t row = 0; row < height; ++row) {
      const std::int64_t y = step_ * region.py0 - op_.conv.window.top + row;
      const bool inside = y >= 0 && y < h && begin < end;
      const std::int64_t stop = inside ? begin : width;
      float* to = tile + ((n - region.n0) * tiling_.height() + row) * tiling_.width() * block.pitch;
      std::fill_n(to, stop * block.pitch, 0.0F);
      if (!inside) continue;
      std::fill(to + end * block.pitch, to + width * block.pitch, 0.0F);
      const float* from = x_ + ((n * h + y) * w + left + begin) * c + block.first;
      PixelCopy copy{from, c, to + begin * block.pitch, block.pitch, end - begin, block.channels};
      if (block.is_all_of(c)) copy = {from, 0, copy.to, 0, 1, copy.pixels * c};
      finite = micro_.copy(copy) && finite;
    }
  }
  return finite;
}

void SparseWeightGradient::add(const Slice& slice, const TermLists& terms, std::int64_t block,
                               float* sums) const {
  const ChannelBlock b = patch_.block(block);
  const SparseSums all{terms,
                       filter_indices_,
                       slice.tile,
                       b.pitch,
                       tiling_.width() * b.pitch,
                       sums + block * patch_.block_size(),
                       patch_.size(),
                       b.row,
                       b.row};
  add_sparse(micro_, all, op_.conv.window.kh);
}

float SparseWeightGradient::gradient_at(std::int64_t n, std::int64_t oy, std::int64_t ox,
                                        std::int64_t filter) const {
  const Shape4 pooled = op_.y();
  const std::int64_t py = oy / step_, px = ox / step_;
  if (py >= pooled.h || px >= pooled.w) return 0;
  const std::int64_t i = ((n * pooled.h + py) * pooled.w + px) * filters_ + filter;
  const bool passes = gradient_.y == nullptr || gradient_.y[i] > 0;
  const bool is_argmax = gradient_.argmax == nullptr || gradient_.argmax[i] == oy % 2 * 2 + ox % 2;
  return passes && is_argmax ? gradient_.dy[i] : 0;
}

// Adds the products with zeros as well, like a convolution without a pooling: zero times infinity
// or NaN is NaN.
void SparseWeightGradient::add_all_terms(const Region& region, const Slice& s, std::int64_t block,
                                         float* sums) const {
  float values[kTileCells];
  std::int32_t indices[kTileCells + 1] = {};
  for (std::int64_t f = 0; f < s.count; ++f) {
    const std::int32_t begin = 0;
    std::int32_t count = 0;
    const auto flush = [&] {
      add(s, {values, indices, &begin, &count, 1}, block, sums + f * patch_.size());
      count = 0;
    };
    for (std::int64_t n = region.n0; n < region.n1; ++n) {
      for (std::int64_t oy = step_ * region.py0; oy < std::min(step_ * region.py1, op_.conv.oh());
           ++oy) {
        for (std::int64_t ox = step_ * region.px0; ox < std::min(step_ * region.px1, op_.conv.ow());
             ++ox) {
          const std::int64_t row = (n - region.n0) * tiling_.height() + oy - step_ * region.py0;
          values[count] = gradient_at(n, oy, ox, s.first + f);
          indices[count] = std::int32_t(row * tiling_.width() + ox - step_ * region.px0);
          if (++count == kTileCells) flush();
        }
      }
    }
    flush();
  }
}

void SparseWeightGradient::add_nonzero_terms(const Region& region, const Slice& s,
                                             float* sums) const {
  list_nonzero_terms(region, s);
  for (std::int64_t block = 0; block < patch_.blocks(); ++block) {
    if (!copy_tile(region, patch_.block(block), s.tile)) {
      add_all_terms(region, s, block, sums);
      continue;
    }
    const ListWriter& lists = s.lists;
    add(s, {lists.values, lists.indices, lists.begins, lists.ends, s.count}, block, sums);
  }
}

void add_to(float* sum, const float* more, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) sum[i] += more[i];
}

void SparseWeightGradient::run(std::int64_t task, int worker) const {
  const std::int64_t chunk = task / slices_;
  const Slice s = slice(task, worker);
  float* total = partial(chunk) + s.first * patch_.size();
  const std::int64_t size = s.count * patch_.size();
  std::fill_n(total, size, 0.0F);
  std::fill_n(s.bias, s.count, 0.0);
  const std::int64_t begin = tiling_.tiles() * chunk / chunks_;
  const std::int64_t end = tiling_.tiles() * (chunk + 1) / chunks_;
  if (end - begin <= kLeafTiles) {
    for (std::int64_t tile = begin; tile < end; ++tile) {
      add_nonzero_terms(tiling_.region(tile), s, total);
    }
    return;
  }
  for (std::int64_t first = begin; first < end; first += kLeafTiles) {
    std::fill_n(s.leaf, size, 0.0F);
    for (std::int64_t tile = first; tile < std::min(end, first + kLeafTiles); ++tile) {
      add_nonzero_terms(tiling_.region(tile), s, s.leaf);
    }
    add_to(total, s.leaf, size);
  }
}

void SparseWeightGradient::finish(std::int64_t task, float* dw, float* db) const {
  const std::int64_t first = task * kFinishedFilters,
                     count = std::min(kFinishedFilters, filters_ - first);
  const std::int64_t begin = first * patch_.size(), size = count * patch_.size();
  for (std::int64_t step = 1; step < chunks_; step *= 2) {
    for (std::int64_t chunk = 0; chunk + step < chunks_; chunk += 2 * step) {
      add_to(partial(chunk) + begin, partial(chunk + step) + begin, size);
    }
  }
  const Window2D& win = op_.conv.window;
  for (std::int64_t i = 0; i < patch_.blocks() * win.kh * win.kw; ++i) {
    const std::int64_t cell = i % (win.kh * win.kw), block = i / (win.kh * win.kw);
    const ChannelBlock b = patch_.block(block);
    const std::int64_t column = cell / win.kw * b.row + cell % win.kw * b.pitch;
    transpose(partial_ + begin + block * patch_.block_size() + column, patch_.size(), count,
              b.channels, dw + (cell * op_.conv.x.c + b.first) * filters_ + first, filters_);
  }
  for (std::int64_t f = first; db != nullptr && f < first + count; ++f) {
    double total = 0;
    for (std::int64_t chunk = 0; chunk < chunks_; ++chunk) total += bias_[chunk * filters_ + f];
    db[f] = float(total);
  }
}

// A pooling whose windows are single cells.
PooledConv2D without_pool(const Conv2D& conv) {
  return {conv, {1, 1, 1, 1, 1, 1, 0, 0, 0, 0}, true};
}

void backward_weights(const PooledConv2D& op, const SparseGradient& gradient, const float* x,
                      float* dw, float* db, char* scratch) noexcept {
  ScratchAllocator allocator(scratch);
  const SparseWeightGradient sums(op, gradient, x, allocator);
  parallel_for(sums.tasks(), [&](std::int64_t task, int worker) { sums.run(task, worker); });
  parallel_for(sums.finish_tasks(), [&](std::int64_t task, int) { sums.finish(task, dw, db); });
}

}  // namespace

void pool_sparse_backward_weights(const PooledConv2D& op, const float* dy,
                                  const std::uint8_t* argmax, const float* x, float* dw, float* db,
                                  char* scratch) noexcept {
  backward_weights(op, {dy, nullptr, argmax}, x, dw, db, scratch);
}

std::size_t pool_sparse_backward_weights_scratch(const PooledConv2D& op) {
  ScratchAllocator counter(nullptr);
  const SparseWeightGradient sums(op, {nullptr, nullptr, nullptr}, nullptr, counter);
  return counter.bytes();
}

void relu_sparse_backward_weights(const Conv2D& conv, const float* dy, const float* y,
                                  const float* x, float* dw, float* db, char* scratch) noexcept {
  backward_weights(without_pool(conv), {dy, y, nullptr}, x, dw, db, scratch);
}

std::size_t relu_sparse_backward_weights_scratch(const Conv2D& conv) {
  return pool_sparse_backward_weights_scratch(without_pool(conv));
}

}  // namespace minicnn
