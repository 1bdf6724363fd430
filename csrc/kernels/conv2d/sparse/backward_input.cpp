#include "kernels/conv2d/sparse/backward_input.hpp"

#include <algorithm>
#include <cmath>

#include "core/parallel.hpp"
#include "core/scratch.hpp"
#include "kernels/conv2d/sparse/micro.hpp"
#include "kernels/conv2d/sparse/patches.hpp"
#include "kernels/gemm/transpose.hpp"

// Every non-zero dy[window, f] adds its product with the weights of filter f to the patch of dx
// that its argmax read. Filters with the same argmax in a window add to the same patch: their
// weights are added up in registers, and the sum is added to dx once.
//
// A band of window rows is in cache as the pixels of dx under it, padding included. When all its
// windows have added their patches, the rows that no later window reaches are copied to dx, and the
// others become the first rows of the next band.
//
// Images are divided into sections, so that one image gives work to several threads. Two sections
// add to the rows at the seam between them, each in its own memory; these are added up when both
// are done. So the order of a sum depends on the image's shape only.

namespace minicnn {
namespace {

// Tuned on AMD EPYC 9005 (48 KB of L1 and 1 MB of L2 per core), 2026-11.
constexpr std::int64_t kBandWindows = 64;
// The filters are divided into parts, each used by all windows of a band before the next one. A
// part has about kWeightFloats weights and at most kMaxFilters filters, whose products are added in
// a register.
constexpr std::int64_t kWeightFloats = 16384;
constexpr std::int64_t kMaxFilters = 256;

constexpr std::int64_t kSectionRows = 16;  // rows of windows
constexpr std::int64_t kEnoughTasks = 64;

class SparseInputGradient {
 public:
  SparseInputGradient(const PooledConv2D& op, const SparseGradient& gradient, const float* w,
                      const float* x, float* dx, ScratchAllocator& allocator);

  void pack_weights() const;
  void check_for_non_finite_weights();
  std::int64_t sections() const { return sections_; }  // per image
  std::int64_t blocks() const { return patch_.blocks(); }
  // Computes section `section` of image n, the channels of the blocks [first, last).
  void run(std::int64_t n, std::int64_t section, std::int64_t first, std::int64_t last,
           int worker) const;
  void join_seam(std::int64_t n, std::int64_t section) const;

 private:
  // Window rows [py0, py1) of a section of image n, the blocks [first, last) of channels, and the
  // worker's memory.
  struct Band {
    std::int64_t n, section, py0, py1, first, last;
    float* rows;
    ListWriter lists;      // (parts, windows of a band, 4 cells)
    std::int32_t* pixels;  // (windows of a band, 4 cells): their positions in the band
  };

  std::int64_t band_height() const { return 2 * band_rows_ + op_.conv.window.kh - 1; }
  std::int64_t block_floats() const { return band_height() * width_ * patch_.widest_pitch(); }
  std::int64_t seam_rows() const { return op_.conv.window.kh - 1; }
  std::int64_t first_window(std::int64_t section) const { return ph_ * section / sections_; }
  // The rows that sections `section` and `section` + 1 share, as computed by the one above or
  // below.
  float* seam(std::int64_t n, std::int64_t section, bool above) const;
  PixelCopy row_of_dx(const Band& band, std::int64_t row) const;
  std::int64_t band_lists() const { return band_rows_ * pw_ * 4; }  // per part of the filters
  void number_pixels(const Band& band) const;
  void list_nonzero_terms(const Band& band) const;
  void list_all_terms(const Band& band, std::int64_t py, std::int64_t px, std::int64_t part) const;
  void add(const Band& band, std::int64_t block, std::int64_t part, std::int64_t first,
           std::int64_t count) const;
  void add_nonzero_terms(const Band& band) const;
  void add_all_terms(const Band& band) const;
  void write_rows(const Band& band, std::int64_t count) const;
  void next_band(const Band& band) const;

  PooledConv2D op_;
  SparseGradient gradient_;
  const float *w_, *x_;
  float* dx_;
  const SparseMicroKernel& micro_;
  Patches patch_;
  std::int64_t ph_, pw_, width_, filters_, filters_per_part_, parts_, sections_, band_rows_, room_;
  bool finite_ = true;
  float *packed_, *rows_, *values_;  // packed_ (blocks, filters, KH, row)
  float* seams_;                     // (N, sections - 1, 2: above and below, rows, W, C)
  std::int32_t *indices_, *begins_, *ends_, *pixels_;
  bool* finite_cells_;
};

SparseInputGradient::SparseInputGradient(const PooledConv2D& op, const SparseGradient& gradient,
                                         const float* w, const float* x, float* dx,
                                         ScratchAllocator& allocator)
    : op_(op),
      gradient_(gradient),
      w_(w),
      x_(x),
      dx_(dx),
      micro_(sparse_micro_kernel()),
      patch_(op.conv, micro_),
      ph_(ceil_div(op.conv.oh(),
                   2)),  // with windows that the pooling drops, so that bands cover dx
      pw_(ceil_div(op.conv.ow(), 2)),
      width_(2 * pw_ + op.conv.window.kw - 1),
      filters_(op.conv.filters) {
  const Conv2D& conv = op.conv;
  filters_per_part_ =
      std::clamp<std::int64_t>(kWeightFloats / patch_.block_size(), micro_.lanes, kMaxFilters);
  parts_ = ceil_div(filters_, filters_per_part_);
  filters_per_part_ = ceil_div(ceil_div(filters_, parts_), micro_.lanes) * micro_.lanes;
  parts_ = ceil_div(filters_, filters_per_part_);
  sections_ = ceil_div(ph_, kSectionRows);
  band_rows_ = std::min(ceil_div(ph_, sections_), ceil_div(kBandWindows, pw_));
  room_ = std::max<std::int64_t>(4, band_rows_ * pw_) * filters_ + micro_.lanes;
  packed_ = allocator.allocate<float>(patch_.size() * filters_);
  seams_ =
      allocator.allocate<float>(conv.x.n * (sections_ - 1) * 2 * seam_rows() * conv.x.w * conv.x.c);
  rows_ = allocator.allocate<float>(max_workers() * blocks() * block_floats());
  values_ = allocator.allocate<float>(max_workers() * room_);
  indices_ = allocator.allocate<std::int32_t>(max_workers() * room_);
  begins_ = allocator.allocate<std::int32_t>(max_workers() * parts_ * band_lists());
  ends_ = allocator.allocate<std::int32_t>(max_workers() * parts_ * band_lists());
  pixels_ = allocator.allocate<std::int32_t>(max_workers() * band_lists());
  finite_cells_ = allocator.allocate<bool>(conv.window.kh * conv.window.kw);
}

void SparseInputGradient::pack_weights() const {
  const Window2D& win = op_.conv.window;
  parallel_for(win.kh * win.kw, [&](std::int64_t cell, int) {
    const std::int64_t ky = cell / win.kw, kx = cell % win.kw;
    const float* of_cell = w_ + cell * op_.conv.x.c * filters_;
    for (std::int64_t block = 0; block < blocks(); ++block) {
      const ChannelBlock b = patch_.block(block);
      float* to = packed_ + block * filters_ * patch_.block_size() + ky * b.row + kx * b.pitch;
      transpose(of_cell + b.first * filters_, filters_, b.channels, filters_, to,
                patch_.block_size());
    }
    int finite = 1;
    for (std::int64_t i = 0; i < op_.conv.x.c * filters_; ++i) finite &= std::isfinite(of_cell[i]);
    finite_cells_[cell] = finite != 0;
  });
}

void SparseInputGradient::check_for_non_finite_weights() {
  const std::int64_t cells = op_.conv.window.kh * op_.conv.window.kw;
  finite_ = std::all_of(finite_cells_, finite_cells_ + cells, [](bool finite) { return finite; });
}

float* SparseInputGradient::seam(std::int64_t n, std::int64_t section, bool above) const {
  const Shape4& x = op_.conv.x;
  const std::int64_t index = 2 * (n * (sections_ - 1) + section) + (above ? 0 : 1);
  return seams_ + index * seam_rows() * x.w * x.c;
}

void SparseInputGradient::number_pixels(const Band& band) const {
  for (std::int64_t i = 0; i < band_lists(); ++i) {
    const std::int64_t cell = i % 4, px = i / 4 % pw_, row = i / 4 / pw_;
    band.pixels[i] = std::int32_t((2 * row + cell / 2) * width_ + 2 * px + cell % 2);
  }
}

void SparseInputGradient::list_nonzero_terms(const Band& band) const {
  const Shape4 pooled = op_.y();
  std::int32_t end = 0;
  for (std::int64_t window = 0; window < (band.py1 - band.py0) * pw_; ++window) {
    const std::int64_t py = band.py0 + window / pw_, px = window % pw_;
    const bool dropped = py >= pooled.h || px >= pooled.w;
    const std::int64_t at = ((band.n * pooled.h + py) * pooled.w + px) * filters_;
    for (std::int64_t part = 0; part < parts_; ++part) {
      ListWriter lists = band.lists;
      lists.begins += part * band_lists() + window * 4;
      lists.ends += part * band_lists() + window * 4;
      std::fill_n(lists.begins, 4, end);
      std::fill_n(lists.ends, 4, end);
      if (dropped) continue;
      const std::int64_t first = part * filters_per_part_, i = at + first;
      const SparseGradient here{gradient_.dy + i, nullptr, gradient_.argmax + i};
      micro_.list_by_cell(here, std::min(filters_per_part_, filters_ - first), lists);
      end = lists.ends[3];
    }
  }
}

// Lists zeros as well, like a convolution without a pooling: zero times infinity or NaN is NaN.
void SparseInputGradient::list_all_terms(const Band& band, std::int64_t py, std::int64_t px,
                                         std::int64_t part) const {
  const Shape4 pooled = op_.y();
  const bool dropped = py >= pooled.h || px >= pooled.w;
  const std::int64_t at = ((band.n * pooled.h + py) * pooled.w + px) * filters_;
  const std::int64_t first = part * filters_per_part_, window = (py - band.py0) * pw_ + px;
  const std::int64_t lists = part * band_lists() + window * 4;
  std::int32_t end = 0;
  for (int cell = 0; cell < 4; ++cell) {
    band.lists.begins[lists + cell] = end;
    const bool outside = 2 * py + cell / 2 >= op_.conv.oh() || 2 * px + cell % 2 >= op_.conv.ow();
    const std::int64_t stop = outside ? first : std::min(filters_, first + filters_per_part_);
    for (std::int64_t f = first; f < stop; ++f, ++end) {
      const std::int64_t i = at + f;
      const bool is_argmax = !dropped && gradient_.argmax[i] == cell;
      band.lists.values[end] = is_argmax ? gradient_.dy[i] : 0;
      band.lists.indices[end] = std::int32_t(f - first);
    }
    band.lists.ends[lists + cell] = end;
  }
}

// Adds the terms of the lists [first, first + count) of one part of the filters.
void SparseInputGradient::add(const Band& band, std::int64_t block, std::int64_t part,
                              std::int64_t first, std::int64_t count) const {
  const ChannelBlock b = patch_.block(block);
  const std::int64_t lists = part * band_lists() + first;
  const std::int64_t filter = block * filters_ + part * filters_per_part_;
  const SparseSums sums{{band.lists.values, band.lists.indices, band.lists.begins + lists,
                         band.lists.ends + lists, count},
                        band.pixels + first,
                        packed_ + filter * patch_.block_size(),
                        patch_.block_size(),
                        b.row,
                        band.rows + block * block_floats(),
                        b.pitch,
                        width_ * b.pitch,
                        b.columns};
  add_sparse(micro_, sums, op_.conv.window.kh);
}

// Takes one part of the filters at a time: their weights stay in cache for all windows.
void SparseInputGradient::add_nonzero_terms(const Band& band) const {
  list_nonzero_terms(band);
  const std::int64_t lists = (band.py1 - band.py0) * pw_ * 4;
  for (std::int64_t block = band.first; block < band.last; ++block) {
    for (std::int64_t part = 0; part < parts_; ++part) add(band, block, part, 0, lists);
  }
}

void SparseInputGradient::add_all_terms(const Band& band) const {
  for (std::int64_t i = 0; i < (band.py1 - band.py0) * pw_; ++i) {
    for (std::int64_t part = 0; part < parts_; ++part) {
      list_all_terms(band, band.py0 + i / pw_, i % pw_, part);
      for (std::int64_t block = band.first; block < band.last; ++block) {
        add(band, block, part, 4 * i, 4);
      }
    }
  }
}

// Returns the target of the band's row `row`, and its relu_mask.
PixelCopy SparseInputGradient::row_of_dx(const Band& band, std::int64_t row) const {
  const Shape4& x = op_.conv.x;
  const std::int64_t size = x.w * x.c, from_top = 2 * (band.py0 - first_window(band.section)) + row;
  const std::int64_t height = 2 * (first_window(band.section + 1) - first_window(band.section));
  PixelCopy to{};
  if (band.section > 0 && from_top < seam_rows()) {
    to.to = seam(band.n, band.section - 1, false) + from_top * size;
  } else if (band.section + 1 < sections_ && from_top >= height) {
    to.to = seam(band.n, band.section, true) + (from_top - height) * size;
  } else {
    const std::int64_t at = (band.n * x.h + 2 * band.py0 - op_.conv.window.top + row) * size;
    to.to = dx_ + at;
    to.relu_mask = x_ == nullptr ? nullptr : x_ + at;
  }
  return to;
}

// Writes the first `count` rows of the band.
void SparseInputGradient::write_rows(const Band& band, std::int64_t count) const {
  const auto [images, h, w, c] = op_.conv.x;
  const std::int64_t first_y = 2 * band.py0 - op_.conv.window.top;
  for (std::int64_t row = 0; row < count; ++row) {
    if (first_y + row < 0 || first_y + row >= h) continue;
    const PixelCopy target = row_of_dx(band, row);
    for (std::int64_t block = band.first; block < band.last; ++block) {
      const ChannelBlock b = patch_.block(block);
      const float* from =
          band.rows + block * block_floats() + (row * width_ + op_.conv.window.left) * b.pitch;
      const float* relu_mask = target.relu_mask == nullptr ? nullptr : target.relu_mask + b.first;
      PixelCopy copy{from, b.pitch, target.to + b.first, c, w, b.channels, relu_mask};
      if (b.is_all_of(c)) copy = {from, 0, copy.to, 0, 1, w * c, relu_mask};
      micro_.copy(copy);
    }
  }
}

// Moves the rows that the next band shares to the front and sets the others to 0.
void SparseInputGradient::next_band(const Band& band) const {
  for (std::int64_t block = band.first; block < band.last; ++block) {
    const std::int64_t row = width_ * patch_.block(block).pitch, kept = seam_rows() * row;
    float* rows = band.rows + block * block_floats();
    std::copy_n(rows + 2 * (band.py1 - band.py0) * row, kept, rows);
    std::fill(rows + kept, rows + band_height() * row, 0.0F);
  }
}

void SparseInputGradient::run(std::int64_t n, std::int64_t section, std::int64_t first,
                              std::int64_t last, int worker) const {
  const std::int64_t begin = first_window(section), end = first_window(section + 1);
  float* rows = rows_ + worker * blocks() * block_floats();
  Band band{n,
            section,
            begin,
            begin,
            first,
            last,
            rows,
            {values_ + worker * room_, indices_ + worker * room_,
             begins_ + worker * parts_ * band_lists(), ends_ + worker * parts_ * band_lists()},
            pixels_ + worker * band_lists()};
  number_pixels(band);
  std::fill(rows + first * block_floats(), rows + last * block_floats(), 0.0F);
  for (; band.py0 < end; band.py0 = band.py1) {
    band.py1 = std::min(end, band.py0 + band_rows_);
    if (finite_) {
      add_nonzero_terms(band);
    } else {
      add_all_terms(band);
    }
    const std::int64_t done = 2 * (band.py1 - band.py0);
    write_rows(band, band.py1 == end ? done + seam_rows() : done);
    if (band.py1 < end) next_band(band);
  }
}

// Adds up what the sections above and below have for the rows that they share, and writes them to
// dx.
void SparseInputGradient::join_seam(std::int64_t n, std::int64_t section) const {
  const Shape4& x = op_.conv.x;
  const std::int64_t y = 2 * first_window(section + 1) - op_.conv.window.top, size = x.w * x.c;
  float *above = seam(n, section, true), *below = seam(n, section, false);
  for (std::int64_t row = 0; row < seam_rows(); ++row) {
    if (y + row < 0 || y + row >= x.h) continue;
    float* sum = below + row * size;
    for (std::int64_t i = 0; i < size; ++i) sum[i] += above[row * size + i];
    const std::int64_t at = (n * x.h + y + row) * size;
    micro_.copy({sum, 0, dx_ + at, 0, 1, size, x_ == nullptr ? nullptr : x_ + at});
  }
}

}  // namespace

void pool_sparse_backward_input(const PooledConv2D& op, const float* dy, const std::uint8_t* argmax,
                                const float* w, const float* x, float* dx, char* scratch) noexcept {
  ScratchAllocator allocator(scratch);
  SparseInputGradient adder(op, {dy, nullptr, argmax}, w, x, dx, allocator);
  const std::int64_t positions = op.conv.x.n * adder.sections();
  if (positions == 0) return;
  adder.pack_weights();
  adder.check_for_non_finite_weights();
  const std::int64_t blocks = adder.blocks();
  const std::int64_t shares = std::min(blocks, ceil_div(kEnoughTasks, positions));
  parallel_for(positions * shares, [&](std::int64_t task, int worker) {
    const std::int64_t share = task / positions, position = task % positions;
    adder.run(position / adder.sections(), position % adder.sections(), blocks * share / shares,
              blocks * (share + 1) / shares, worker);
  });
  const std::int64_t seams = adder.sections() - 1;
  parallel_for(op.conv.x.n * seams,
               [&](std::int64_t i, int) { adder.join_seam(i / seams, i % seams); });
}

std::size_t pool_sparse_backward_input_scratch(const PooledConv2D& op) {
  ScratchAllocator counter(nullptr);
  const SparseInputGradient adder(op, {nullptr, nullptr, nullptr}, nullptr, nullptr, nullptr,
                                  counter);
  return counter.bytes();
}

}  // namespace minicnn
