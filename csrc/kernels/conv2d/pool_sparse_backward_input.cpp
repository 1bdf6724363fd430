#include "kernels/conv2d/pool_sparse_backward_input.hpp"

#include <algorithm>
#include <cmath>

#include "core/parallel.hpp"
#include "kernels/conv2d/carver.hpp"
#include "kernels/conv2d/patches.hpp"
#include "kernels/conv2d/sparse_micro.hpp"
#include "kernels/conv2d/transpose.hpp"

// Each argmax adds dy[window, f] times filter f's weights to the patch of dx that it saw. The
// filters whose argmax is the same cell of a window add to the same patch: their weights are added
// up in registers, then join dx once.
//
// A band of window rows lies in cache as the pixels of dx under it, padding included. When all its
// windows have added their patches, the rows that no later window reaches are copied to dx, and the
// others become the first rows of the next band.
//
// Images are cut in segments, so that one image gives several threads work. Two segments add to the
// rows at a seam, each in memory of its own; these join when both are done. So the order of a sum
// depends on the image's shape only.

namespace minicnn {
namespace {

// Tuned on AMD EPYC 9005 (L1 48 KB, L2 1 MB a core), 2026-11.
constexpr std::int64_t kBandWindows = 64;
constexpr std::int64_t kWeightFloats =
    16384;                                  // of the filters that all windows of a band see first
constexpr std::int64_t kMaxFilters = 256;  // of these: so many products are added in a register

constexpr std::int64_t kSegmentRows = 16;  // of windows
constexpr std::int64_t kEnoughTasks = 64;

class PatchAdder {
 public:
  PatchAdder(const PooledConv2D& op, const SparseGradient& gradient, const float* w, const float* x,
             float* dx, Carver& carver);

  void turn_weights() const;
  void look_for_non_finite_weights();
  std::int64_t segments() const { return segments_; }  // of one image
  std::int64_t blocks() const { return patch_.blocks(); }
  // Segment `segment` of image n, the channels of blocks [first, last).
  void run(std::int64_t n, std::int64_t segment, std::int64_t first, std::int64_t last,
           int worker) const;
  void join_seam(std::int64_t n, std::int64_t segment) const;

 private:
  // Window rows [py0, py1) of a segment of one image, the blocks of channels, and a worker's
  // memory.
  struct Band {
    std::int64_t n, segment, py0, py1, first, last;
    float* rows;
    ListWriter lists;      // (parts, windows of a band, 4 cells)
    std::int32_t* pixels;  // (windows of a band, 4 cells): where in the band they are
  };

  std::int64_t band_height() const { return 2 * band_rows_ + op_.conv.window.kh - 1; }
  std::int64_t block_floats() const { return band_height() * width_ * patch_.widest_pitch(); }
  std::int64_t seam_rows() const { return op_.conv.window.kh - 1; }
  std::int64_t first_window(std::int64_t segment) const { return ph_ * segment / segments_; }
  // The rows that segments `segment` and the next one share, as one of the two has them.
  float* seam(std::int64_t n, std::int64_t segment, bool above) const;
  PixelCopy row_of_dx(const Band& band, std::int64_t row) const;
  std::int64_t band_lists() const { return band_rows_ * pw_ * 4; }  // of one part of the filters
  void number_pixels(const Band& band) const;
  void list_winners(const Band& band) const;
  void list_every_cell(const Band& band, std::int64_t py, std::int64_t px, std::int64_t part) const;
  void add(const Band& band, std::int64_t block, std::int64_t part, std::int64_t first,
           std::int64_t count) const;
  void add_winners(const Band& band) const;
  void add_every_cell(const Band& band) const;
  void write_rows(const Band& band, std::int64_t count) const;
  void next_band(const Band& band) const;

  PooledConv2D op_;
  SparseGradient gradient_;
  const float *w_, *x_;
  float* dx_;
  const SparseMicro& micro_;
  Patches patch_;
  std::int64_t ph_, pw_, width_, filters_, some_filters_, parts_, segments_, band_rows_, room_;
  bool finite_ = true;
  float *turned_, *rows_, *values_;  // turned_ (blocks, filters, KH, row)
  float* seams_;                     // (N, segments - 1, above and below, rows, W, C)
  std::int32_t *places_, *begins_, *ends_, *pixels_;
  bool* finite_cells_;
};

PatchAdder::PatchAdder(const PooledConv2D& op, const SparseGradient& gradient, const float* w,
                       const float* x, float* dx, Carver& carver)
    : op_(op),
      gradient_(gradient),
      w_(w),
      x_(x),
      dx_(dx),
      micro_(sparse_micro()),
      patch_(op.conv, micro_),
      ph_(ceil_div(op.conv.oh(), 2)),  // with windows that the pool dropped: all of dx is in a band
      pw_(ceil_div(op.conv.ow(), 2)),
      width_(2 * pw_ + op.conv.window.kw - 1),
      filters_(op.conv.filters) {
  const Conv2D& conv = op.conv;
  some_filters_ =
      std::clamp<std::int64_t>(kWeightFloats / patch_.block_size(), micro_.lanes, kMaxFilters);
  parts_ = ceil_div(filters_, some_filters_);
  some_filters_ = ceil_div(ceil_div(filters_, parts_), micro_.lanes) * micro_.lanes;
  parts_ = ceil_div(filters_, some_filters_);
  segments_ = ceil_div(ph_, kSegmentRows);
  band_rows_ = std::min(ceil_div(ph_, segments_), ceil_div(kBandWindows, pw_));
  room_ = std::max<std::int64_t>(4, band_rows_ * pw_) * filters_ + micro_.lanes;
  turned_ = carver.take<float>(patch_.size() * filters_);
  seams_ = carver.take<float>(conv.x.n * (segments_ - 1) * 2 * seam_rows() * conv.x.w * conv.x.c);
  rows_ = carver.take<float>(max_workers() * blocks() * block_floats());
  values_ = carver.take<float>(max_workers() * room_);
  places_ = carver.take<std::int32_t>(max_workers() * room_);
  begins_ = carver.take<std::int32_t>(max_workers() * parts_ * band_lists());
  ends_ = carver.take<std::int32_t>(max_workers() * parts_ * band_lists());
  pixels_ = carver.take<std::int32_t>(max_workers() * band_lists());
  finite_cells_ = carver.take<bool>(conv.window.kh * conv.window.kw);
}

void PatchAdder::turn_weights() const {
  const Window2D& win = op_.conv.window;
  parallel_for(win.kh * win.kw, [&](std::int64_t cell, int) {
    const std::int64_t ky = cell / win.kw, kx = cell % win.kw;
    const float* of_cell = w_ + cell * op_.conv.x.c * filters_;
    for (std::int64_t block = 0; block < blocks(); ++block) {
      const ChannelBlock b = patch_.block(block);
      float* to = turned_ + block * filters_ * patch_.block_size() + ky * b.row + kx * b.pitch;
      transpose(of_cell + b.first * filters_, filters_, b.channels, filters_, to,
                patch_.block_size());
    }
    int finite = 1;
    for (std::int64_t i = 0; i < op_.conv.x.c * filters_; ++i) finite &= std::isfinite(of_cell[i]);
    finite_cells_[cell] = finite != 0;
  });
}

void PatchAdder::look_for_non_finite_weights() {
  const std::int64_t cells = op_.conv.window.kh * op_.conv.window.kw;
  finite_ = std::all_of(finite_cells_, finite_cells_ + cells, [](bool finite) { return finite; });
}

float* PatchAdder::seam(std::int64_t n, std::int64_t segment, bool above) const {
  const Shape4& x = op_.conv.x;
  const std::int64_t number = 2 * (n * (segments_ - 1) + segment) + (above ? 0 : 1);
  return seams_ + number * seam_rows() * x.w * x.c;
}

void PatchAdder::number_pixels(const Band& band) const {
  for (std::int64_t i = 0; i < band_lists(); ++i) {
    const std::int64_t cell = i % 4, px = i / 4 % pw_, row = i / 4 / pw_;
    band.pixels[i] = std::int32_t((2 * row + cell / 2) * width_ + 2 * px + cell % 2);
  }
}

void PatchAdder::list_winners(const Band& band) const {
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
      const std::int64_t first = part * some_filters_, i = at + first;
      const SparseGradient here{gradient_.dy + i, nullptr, gradient_.argmax + i};
      micro_.list_by_cell(here, std::min(some_filters_, filters_ - first), lists);
      end = lists.ends[3];
    }
  }
}

// As a convolution without a pool does: zero times infinity or NaN is NaN.
void PatchAdder::list_every_cell(const Band& band, std::int64_t py, std::int64_t px,
                                 std::int64_t part) const {
  const Shape4 pooled = op_.y();
  const bool dropped = py >= pooled.h || px >= pooled.w;
  const std::int64_t at = ((band.n * pooled.h + py) * pooled.w + px) * filters_;
  const std::int64_t first = part * some_filters_, window = (py - band.py0) * pw_ + px;
  const std::int64_t lists = part * band_lists() + window * 4;
  std::int32_t end = 0;
  for (int cell = 0; cell < 4; ++cell) {
    band.lists.begins[lists + cell] = end;
    const bool outside = 2 * py + cell / 2 >= op_.conv.oh() || 2 * px + cell % 2 >= op_.conv.ow();
    const std::int64_t stop = outside ? first : std::min(filters_, first + some_filters_);
    for (std::int64_t f = first; f < stop; ++f, ++end) {
      const std::int64_t i = at + f;
      const bool wins = !dropped && gradient_.argmax[i] == cell;
      band.lists.values[end] = wins ? gradient_.dy[i] : 0;
      band.lists.places[end] = std::int32_t(f - first);
    }
    band.lists.ends[lists + cell] = end;
  }
}

// The lists [first, first + count) of one part of the filters.
void PatchAdder::add(const Band& band, std::int64_t block, std::int64_t part, std::int64_t first,
                     std::int64_t count) const {
  const ChannelBlock b = patch_.block(block);
  const std::int64_t lists = part * band_lists() + first;
  const std::int64_t filter = block * filters_ + part * some_filters_;
  const SparseSums sums{{band.lists.values, band.lists.places, band.lists.begins + lists,
                         band.lists.ends + lists, count},
                        band.pixels + first,
                        turned_ + filter * patch_.block_size(),
                        patch_.block_size(),
                        b.row,
                        band.rows + block * block_floats(),
                        b.pitch,
                        width_ * b.pitch,
                        b.columns};
  add_sparse(micro_, sums, op_.conv.window.kh);
}

// Some filters at a time: their weights stay in cache for all windows.
void PatchAdder::add_winners(const Band& band) const {
  list_winners(band);
  const std::int64_t lists = (band.py1 - band.py0) * pw_ * 4;
  for (std::int64_t block = band.first; block < band.last; ++block) {
    for (std::int64_t part = 0; part < parts_; ++part) add(band, block, part, 0, lists);
  }
}

void PatchAdder::add_every_cell(const Band& band) const {
  for (std::int64_t i = 0; i < (band.py1 - band.py0) * pw_; ++i) {
    for (std::int64_t part = 0; part < parts_; ++part) {
      list_every_cell(band, band.py0 + i / pw_, i % pw_, part);
      for (std::int64_t block = band.first; block < band.last; ++block) {
        add(band, block, part, 4 * i, 4);
      }
    }
  }
}

// Where the band's row `row` goes: the target and its gate.
PixelCopy PatchAdder::row_of_dx(const Band& band, std::int64_t row) const {
  const Shape4& x = op_.conv.x;
  const std::int64_t size = x.w * x.c, from_top = 2 * (band.py0 - first_window(band.segment)) + row;
  const std::int64_t height = 2 * (first_window(band.segment + 1) - first_window(band.segment));
  PixelCopy to{};
  if (band.segment > 0 && from_top < seam_rows()) {
    to.to = seam(band.n, band.segment - 1, false) + from_top * size;
  } else if (band.segment + 1 < segments_ && from_top >= height) {
    to.to = seam(band.n, band.segment, true) + (from_top - height) * size;
  } else {
    const std::int64_t at = (band.n * x.h + 2 * band.py0 - op_.conv.window.top + row) * size;
    to.to = dx_ + at;
    to.gate = x_ == nullptr ? nullptr : x_ + at;
  }
  return to;
}

// The first `count` rows of the band.
void PatchAdder::write_rows(const Band& band, std::int64_t count) const {
  const auto [images, h, w, c] = op_.conv.x;
  const std::int64_t first_y = 2 * band.py0 - op_.conv.window.top;
  for (std::int64_t row = 0; row < count; ++row) {
    if (first_y + row < 0 || first_y + row >= h) continue;
    const PixelCopy target = row_of_dx(band, row);
    for (std::int64_t block = band.first; block < band.last; ++block) {
      const ChannelBlock b = patch_.block(block);
      const float* from =
          band.rows + block * block_floats() + (row * width_ + op_.conv.window.left) * b.pitch;
      const float* gate = target.gate == nullptr ? nullptr : target.gate + b.first;
      PixelCopy copy{from, b.pitch, target.to + b.first, c, w, b.channels, gate};
      if (b.is_all_of(c)) copy = {from, 0, copy.to, 0, 1, w * c, gate};
      micro_.copy(copy);
    }
  }
}

// The rows that the next band goes on with move to the front; zeros follow.
void PatchAdder::next_band(const Band& band) const {
  for (std::int64_t block = band.first; block < band.last; ++block) {
    const std::int64_t row = width_ * patch_.block(block).pitch, kept = seam_rows() * row;
    float* rows = band.rows + block * block_floats();
    std::copy_n(rows + 2 * (band.py1 - band.py0) * row, kept, rows);
    std::fill(rows + kept, rows + band_height() * row, 0.0F);
  }
}

void PatchAdder::run(std::int64_t n, std::int64_t segment, std::int64_t first, std::int64_t last,
                     int worker) const {
  const std::int64_t begin = first_window(segment), end = first_window(segment + 1);
  float* rows = rows_ + worker * blocks() * block_floats();
  Band band{n,
            segment,
            begin,
            begin,
            first,
            last,
            rows,
            {values_ + worker * room_, places_ + worker * room_,
             begins_ + worker * parts_ * band_lists(), ends_ + worker * parts_ * band_lists()},
            pixels_ + worker * band_lists()};
  number_pixels(band);
  std::fill(rows + first * block_floats(), rows + last * block_floats(), 0.0F);
  for (; band.py0 < end; band.py0 = band.py1) {
    band.py1 = std::min(end, band.py0 + band_rows_);
    if (finite_) {
      add_winners(band);
    } else {
      add_every_cell(band);
    }
    const std::int64_t done = 2 * (band.py1 - band.py0);
    write_rows(band, band.py1 == end ? done + seam_rows() : done);
    if (band.py1 < end) next_band(band);
  }
}

// dx = what the segments above and below have of the rows they share.
void PatchAdder::join_seam(std::int64_t n, std::int64_t segment) const {
  const Shape4& x = op_.conv.x;
  const std::int64_t y = 2 * first_window(segment + 1) - op_.conv.window.top, size = x.w * x.c;
  float *above = seam(n, segment, true), *below = seam(n, segment, false);
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
  Carver carver(scratch);
  PatchAdder adder(op, {dy, nullptr, argmax}, w, x, dx, carver);
  const std::int64_t places = op.conv.x.n * adder.segments();
  if (places == 0) return;
  adder.turn_weights();
  adder.look_for_non_finite_weights();
  const std::int64_t blocks = adder.blocks();
  const std::int64_t shares = std::min(blocks, ceil_div(kEnoughTasks, places));
  parallel_for(places * shares, [&](std::int64_t task, int worker) {
    const std::int64_t share = task / places, place = task % places;
    adder.run(place / adder.segments(), place % adder.segments(), blocks * share / shares,
              blocks * (share + 1) / shares, worker);
  });
  const std::int64_t seams = adder.segments() - 1;
  parallel_for(op.conv.x.n * seams,
               [&](std::int64_t i, int) { adder.join_seam(i / seams, i % seams); });
}

std::size_t pool_sparse_backward_input_scratch(const PooledConv2D& op) {
  Carver counter(nullptr);
  const PatchAdder adder(op, {nullptr, nullptr, nullptr}, nullptr, nullptr, nullptr, counter);
  return counter.bytes();
}

}  // namespace minicnn
