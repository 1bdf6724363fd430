#include "kernels/conv2d/direct/backward_input.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "core/scratch.hpp"
#include "kernels/gemm/product.hpp"
#include "kernels/gemm/transpose.hpp"

// dx[iy, ix] is the sum of dy[oy, ox] w[ky, kx]^T over the cells (ky, kx) through which a window
// (oy, ox) reads (iy, ix). The outputs that read one row of dx through column kx of the kernel are
// neighbors in dy, and the pixels they read are `sx` apart in dx: together they are a tile. So each
// row of dx starts at zero, and the kernel columns add their tiles to it while it stays in cache.
// Strides, padding and dilation only determine which pixels these are; no product with padding
// zeros is computed.
//
// Pixels that are read through every cell of a kernel row take all of these in one sum: in the
// flipped weights, (KH, KW reversed, filters, C), the cells of a row lie in the order of the pixels
// of dy.

namespace minicnn {
namespace {

constexpr std::int64_t kEnoughTasks = 64;

class InputGradientRows {
 public:
  InputGradientRows(const Conv2D& conv, const float* dy, const float* w, float* dx,
                    ScratchAllocator& allocator);

  void flip_weights() const;
  std::int64_t slices() const { return conv_.groups * slices_per_group_; }
  // Computes row `iy` of image `n`, the channels of the slices [first, last); a slice is as in
  // ForwardRows.
  void run(std::int64_t n, std::int64_t iy, std::int64_t first, std::int64_t last,
           int worker) const;

 private:
  // The kernel rows through which one row of dx is read: a single column of the kernel, or all.
  struct Sums {
    BlockedSum column, all;
  };
  // `count` outputs of image `n`, from column `ox` on, that read row `iy` through kernel column
  // `kx`.
  struct ColumnOutputs {
    std::int64_t n, iy, ox, kx, count;
  };

  std::int64_t first_channel(std::int64_t slice) const;  // C for the slice after the last
  std::int64_t output_row(std::int64_t iy, std::int64_t ky) const;
  IndexRange outputs_seeing(std::int64_t kx) const;
  IndexRange pixels_of_all_cells() const;
  std::int64_t most_products() const { return conv_.window.kh * conv_.window.kw * conv_.co(); }
  BlockedSum sum_of_rows(std::int64_t iy, std::int64_t cells, Segment* segments,
                         std::int64_t* ends) const;
  Sums sums_of_rows(std::int64_t iy, int worker) const;
  void add(const ColumnOutputs& outputs, const BlockedSum& sum, std::int64_t slice) const;
  void add_columns(std::int64_t n, std::int64_t iy, const Sums& sums, std::int64_t slice) const;

  Conv2D conv_;
  const float *dy_, *w_;
  float* dx_;
  const MicroKernel& micro_;
  std::int64_t slices_per_group_;
  IndexRange inner_;  // pixels that take whole kernel rows in one sum; empty if not worth it
  float* flipped_;    // (KH, KW reversed, groups, filters / groups, C / groups)
  std::int64_t segment_capacity_, block_capacity_;
  Segment* segments_;   // (workers, 2, segment_capacity_)
  std::int64_t* ends_;  // (workers, 2, block_capacity_)
};

InputGradientRows::InputGradientRows(const Conv2D& conv, const float* dy, const float* w, float* dx,
                                     ScratchAllocator& allocator)
    : conv_(conv),
      dy_(dy),
      w_(w),
      dx_(dx),
      micro_(gemm_micro_kernel()),
      slices_per_group_(ceil_div(conv.ci(), micro_.columns)),
      inner_(pixels_of_all_cells()),
      flipped_(allocator.allocate<float>(conv.weights())),
      segment_capacity_(max_segments(most_products(), conv.window.kh * conv.window.kw)),
      block_capacity_(max_blocks(most_products())),
      segments_(allocator.allocate<Segment>(max_workers() * 2 * segment_capacity_)),
      ends_(allocator.allocate<std::int64_t>(max_workers() * 2 * block_capacity_)) {}

std::int64_t InputGradientRows::first_channel(std::int64_t slice) const {
  const std::int64_t group = slice / slices_per_group_;
  return group * conv_.ci() + (slice - group * slices_per_group_) * micro_.columns;
}

// The sum over `cells` neighboring cells in each kernel row through which row `iy` is read.
BlockedSum InputGradientRows::sum_of_rows(std::int64_t iy, std::int64_t cells, Segment* segments,
                                          std::int64_t* ends) const {
  const std::int64_t filters = conv_.filters, ci = conv_.ci(), kw = conv_.window.kw;
  BlockedSumWriter writer(segments, ends);
  for (std::int64_t ky = 0; ky < conv_.window.kh; ++ky) {
    const std::int64_t oy = output_row(iy, ky);
    if (oy < 0) continue;
    for (std::int64_t i = 0; i < cells; ++i) {
      writer.append((oy * conv_.ow() + i) * filters, (ky * kw + i) * filters * ci, conv_.co(), 1,
                    ci);
    }
  }
  return writer.sum();
}

InputGradientRows::Sums InputGradientRows::sums_of_rows(std::int64_t iy, int worker) const {
  Segment* segments = segments_ + worker * 2 * segment_capacity_;
  std::int64_t* ends = ends_ + worker * 2 * block_capacity_;
  Sums sums{sum_of_rows(iy, 1, segments, ends), {}};
  if (inner_.size() > 0) {
    sums.all =
        sum_of_rows(iy, conv_.window.kw, segments + segment_capacity_, ends + block_capacity_);
  }
  return sums;
}

// Returns the output columns that read a pixel inside the image through kernel column kx.
IndexRange InputGradientRows::outputs_seeing(std::int64_t kx) const {
  const Window2D& win = conv_.window;
  const std::int64_t shift = win.left - kx * win.dx;  // output ox reads pixel ox * sx - shift
  const std::int64_t begin = shift > 0 ? ceil_div(shift, win.sx) : 0;
  const std::int64_t last = conv_.x.w - 1 + shift;
  const std::int64_t end = last < 0 ? 0 : std::min(conv_.ow(), last / win.sx + 1);
  return {begin, std::max(begin, end)};
}

IndexRange InputGradientRows::pixels_of_all_cells() const {
  const Window2D& win = conv_.window;
  if (win.sx != 1 || win.dx != 1 || win.kw == 1) return {0, 0};
  const IndexRange inner{std::max<std::int64_t>(0, win.kw - 1 - win.left),
                         std::min(conv_.x.w, conv_.ow() - win.left)};
  const bool worth_it = inner.size() >= gemm_micro_kernel().rows && inner.size() >= 4 * win.kw;
  return worth_it ? inner : IndexRange{0, 0};
}

// Returns the output row that reads row iy through kernel row ky, or -1.
std::int64_t InputGradientRows::output_row(std::int64_t iy, std::int64_t ky) const {
  const Window2D& win = conv_.window;
  const std::int64_t from_top = iy + win.top - ky * win.dy;
  if (from_top < 0 || from_top % win.sy != 0) return -1;
  return from_top / win.sy < conv_.oh() ? from_top / win.sy : -1;
}

void InputGradientRows::flip_weights() const {
  const std::int64_t kw = conv_.window.kw, ci = conv_.ci(), co = conv_.co();
  parallel_for(conv_.window.kh * kw, [&](std::int64_t cell, int) {
    const std::int64_t flipped_cell = cell / kw * kw + kw - 1 - cell % kw;
    for (std::int64_t group = 0; group < conv_.groups; ++group) {
      transpose(w_ + cell * ci * conv_.filters + group * co, conv_.filters, ci, co,
                flipped_ + (flipped_cell * conv_.groups + group) * co * ci, ci);
    }
  });
}

void InputGradientRows::add(const ColumnOutputs& outputs, const BlockedSum& sum,
                            std::int64_t slice) const {
  const Window2D& win = conv_.window;
  const std::int64_t group = slice / slices_per_group_, co = conv_.co(), ci = conv_.ci();
  const std::int64_t channel = first_channel(slice), in_group = channel - group * ci;
  const std::int64_t ix = outputs.ox * win.sx - win.left + outputs.kx * win.dx;
  const std::int64_t output = outputs.n * conv_.oh() * conv_.ow() + outputs.ox;
  const std::int64_t pixel = (outputs.n * conv_.x.h + outputs.iy) * conv_.x.w + ix;
  const MatrixProduct product{
      dy_ + output * conv_.filters + group * co,
      conv_.filters,
      1,
      flipped_ + ((win.kw - 1 - outputs.kx) * conv_.groups + group) * co * ci + in_group,
      ci,
      sum,
      nullptr,
      dx_ + pixel * conv_.x.c + channel,
      win.sx * conv_.x.c,
      true};
  multiply_matrices(micro_, product, outputs.count,
                    std::min<std::int64_t>(micro_.columns, ci - in_group));
}

void InputGradientRows::add_columns(std::int64_t n, std::int64_t iy, const Sums& sums,
                                    std::int64_t slice) const {
  const Window2D& win = conv_.window;
  const auto add_some = [&](std::int64_t kx, std::int64_t begin, std::int64_t end) {
    if (begin < end) add({n, iy, begin, kx, end - begin}, sums.column, slice);
  };
  if (inner_.size() > 0) {
    const std::int64_t kx = win.kw - 1;
    add({n, iy, inner_.begin + win.left - kx, kx, inner_.size()}, sums.all, slice);
  }
  for (std::int64_t kx = 0; kx < win.kw; ++kx) {
    const IndexRange seeing = outputs_seeing(kx);
    if (inner_.size() == 0) {
      add_some(kx, seeing.begin, seeing.end);
      continue;
    }
    const std::int64_t shift = win.left - kx;  // from pixel to output
    add_some(kx, seeing.begin, std::min(seeing.end, inner_.begin + shift));
    add_some(kx, std::max(seeing.begin, inner_.end + shift), seeing.end);
  }
}

void InputGradientRows::run(std::int64_t n, std::int64_t iy, std::int64_t first, std::int64_t last,
                            int worker) const {
  const auto [images, h, w, c] = conv_.x;
  const std::int64_t begin = first_channel(first), end = first_channel(last);
  float* row = dx_ + (n * h + iy) * w * c;
  for (std::int64_t ix = 0; ix < w; ++ix) std::fill(row + ix * c + begin, row + ix * c + end, 0.0F);
  const Sums sums = sums_of_rows(iy, worker);
  for (std::int64_t slice = first; slice < last; ++slice) add_columns(n, iy, sums, slice);
}

}  // namespace

void direct_backward_input(const Conv2D& conv, const float* dy, const float* w, float* dx,
                           char* scratch) noexcept {
  ScratchAllocator allocator(scratch);
  const InputGradientRows rows(conv, dy, w, dx, allocator);
  const std::int64_t positions = conv.x.n * conv.x.h;
  if (positions == 0) return;
  rows.flip_weights();
  const std::int64_t shares = std::min(rows.slices(), ceil_div(kEnoughTasks, positions));
  parallel_for(positions * shares, [&](std::int64_t task, int worker) {
    const std::int64_t share = task / positions, row = task % positions;
    rows.run(row / conv.x.h, row % conv.x.h, rows.slices() * share / shares,
             rows.slices() * (share + 1) / shares, worker);
  });
}

std::size_t direct_backward_input_scratch(const Conv2D& conv) {
  ScratchAllocator counter(nullptr);
  const InputGradientRows rows(conv, nullptr, nullptr, nullptr, counter);
  return counter.bytes();
}

}  // namespace minicnn
