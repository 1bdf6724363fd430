#include "kernels/conv2d/direct_backward_input.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "kernels/conv2d/carver.hpp"
#include "kernels/conv2d/product.hpp"
#include "kernels/conv2d/transpose.hpp"

// dx[iy, ix] is the sum of dy[oy, ox] w[ky, kx]^T over the cells (ky, kx) whose window at (oy, ox)
// looks at (iy, ix). The outputs that look at one row of dx through cells (any, kx) are neighbors
// in dy, and what they look at is `sx` pixels apart in dx: a tile. So each row of dx starts at zero
// and the kernel's columns add their tiles to it, while it stays in cache. Strides, padding and
// dilation only choose which pixels; nothing is multiplied by the zeros around dy.
//
// Pixels that every cell of a kernel row reaches take all of these in one sum: in turned weights,
// (KH, KW backwards, filters, C), the row's cells lie in the order of the pixels of dy.

namespace minicnn {
namespace {

constexpr std::int64_t kEnoughTasks = 64;

struct Range {
  std::int64_t begin, end;

  std::int64_t length() const { return end - begin; }
};

class InputRows {
 public:
  InputRows(const Conv2D& conv, const float* dy, const float* w, float* dx, Carver& carver);

  void turn_weights() const;
  std::int64_t slices() const { return conv_.groups * slices_per_group_; }
  // Row `iy` of image `n`, the channels of the slices [first, last): as in ForwardRows.
  void run(std::int64_t n, std::int64_t iy, std::int64_t first, std::int64_t last,
           int worker) const;

 private:
  // The kernel rows that reach one row of dx, of one kernel column or of all.
  struct Sums {
    Sum column, all;
  };
  // `count` outputs of row 0 of image `n`, from `ox` on, and what they see through column `kx`.
  struct Place {
    std::int64_t n, iy, ox, kx, count;
  };

  std::int64_t first_channel(std::int64_t slice) const;  // of C, too: the slice after the last
  std::int64_t output_row(std::int64_t iy, std::int64_t ky) const;
  Range outputs_seeing(std::int64_t kx) const;
  Range pixels_of_all_cells() const;
  std::int64_t most_products() const { return conv_.window.kh * conv_.window.kw * conv_.co(); }
  Sum sum_of_rows(std::int64_t iy, std::int64_t cells, Run* runs, std::int64_t* ends) const;
  Sums sums_of_rows(std::int64_t iy, int worker) const;
  void add(const Place& place, const Sum& sum, std::int64_t slice) const;
  void add_columns(std::int64_t n, std::int64_t iy, const Sums& sums, std::int64_t slice) const;

  Conv2D conv_;
  const float *dy_, *w_;
  float* dx_;
  const Micro& micro_;
  std::int64_t slices_per_group_;
  Range inner_;    // pixels of a row that take whole kernel rows at once; empty if not worth it
  float* turned_;  // (KH, KW backwards, groups, filters / groups, C / groups)
  std::int64_t run_room_, end_room_;
  Run* runs_;           // (workers, 2, run_room_)
  std::int64_t* ends_;  // (workers, 2, end_room_)
};

InputRows::InputRows(const Conv2D& conv, const float* dy, const float* w, float* dx, Carver& carver)
    : conv_(conv),
      dy_(dy),
      w_(w),
      dx_(dx),
      micro_(conv2d_micro()),
      slices_per_group_(ceil_div(conv.ci(), micro_.columns)),
      inner_(pixels_of_all_cells()),
      turned_(carver.take<float>(conv.weights())),
      run_room_(most_runs(most_products(), conv.window.kh * conv.window.kw)),
      end_room_(most_blocks(most_products())),
      runs_(carver.take<Run>(max_workers() * 2 * run_room_)),
      ends_(carver.take<std::int64_t>(max_workers() * 2 * end_room_)) {}

std::int64_t InputRows::first_channel(std::int64_t slice) const {
  const std::int64_t group = slice / slices_per_group_;
  return group * conv_.ci() + (slice - group * slices_per_group_) * micro_.columns;
}

// Of `cells` neighboring cells in each kernel row that reaches row `iy`.
Sum InputRows::sum_of_rows(std::int64_t iy, std::int64_t cells, Run* runs,
                           std::int64_t* ends) const {
  const std::int64_t filters = conv_.filters, ci = conv_.ci(), kw = conv_.window.kw;
  SumWriter writer(runs, ends);
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

InputRows::Sums InputRows::sums_of_rows(std::int64_t iy, int worker) const {
  Run* runs = runs_ + worker * 2 * run_room_;
  std::int64_t* ends = ends_ + worker * 2 * end_room_;
  Sums sums{sum_of_rows(iy, 1, runs, ends), {}};
  if (inner_.length() > 0) {
    sums.all = sum_of_rows(iy, conv_.window.kw, runs + run_room_, ends + end_room_);
  }
  return sums;
}

// Output columns whose cell kx looks inside the image.
Range InputRows::outputs_seeing(std::int64_t kx) const {
  const Window2D& win = conv_.window;
  const std::int64_t shift = win.left - kx * win.dx;  // ox * sx - shift is the pixel
  const std::int64_t begin = shift > 0 ? ceil_div(shift, win.sx) : 0;
  const std::int64_t last = conv_.x.w - 1 + shift;
  const std::int64_t end = last < 0 ? 0 : std::min(conv_.ow(), last / win.sx + 1);
  return {begin, std::max(begin, end)};
}

Range InputRows::pixels_of_all_cells() const {
  const Window2D& win = conv_.window;
  if (win.sx != 1 || win.dx != 1 || win.kw == 1) return {0, 0};
  const Range inner{std::max<std::int64_t>(0, win.kw - 1 - win.left),
                    std::min(conv_.x.w, conv_.ow() - win.left)};
  const bool worth_it = inner.length() >= conv2d_micro().rows && inner.length() >= 4 * win.kw;
  return worth_it ? inner : Range{0, 0};
}

// The output row whose kernel row ky looks at row iy, or -1.
std::int64_t InputRows::output_row(std::int64_t iy, std::int64_t ky) const {
  const Window2D& win = conv_.window;
  const std::int64_t from_top = iy + win.top - ky * win.dy;
  if (from_top < 0 || from_top % win.sy != 0) return -1;
  return from_top / win.sy < conv_.oh() ? from_top / win.sy : -1;
}

void InputRows::turn_weights() const {
  const std::int64_t kw = conv_.window.kw, ci = conv_.ci(), co = conv_.co();
  parallel_for(conv_.window.kh * kw, [&](std::int64_t cell, int) {
    const std::int64_t turned_cell = cell / kw * kw + kw - 1 - cell % kw;
    for (std::int64_t group = 0; group < conv_.groups; ++group) {
      transpose(w_ + cell * ci * conv_.filters + group * co, conv_.filters, ci, co,
                turned_ + (turned_cell * conv_.groups + group) * co * ci, ci);
    }
  });
}

void InputRows::add(const Place& p, const Sum& sum, std::int64_t slice) const {
  const Window2D& win = conv_.window;
  const std::int64_t group = slice / slices_per_group_, co = conv_.co(), ci = conv_.ci();
  const std::int64_t channel = first_channel(slice), in_group = channel - group * ci;
  const std::int64_t ix = p.ox * win.sx - win.left + p.kx * win.dx;
  const std::int64_t output = p.n * conv_.oh() * conv_.ow() + p.ox;
  const std::int64_t pixel = (p.n * conv_.x.h + p.iy) * conv_.x.w + ix;
  const Product product{dy_ + output * conv_.filters + group * co,
                        conv_.filters,
                        1,
                        turned_ + ((win.kw - 1 - p.kx) * conv_.groups + group) * co * ci + in_group,
                        ci,
                        sum,
                        nullptr,
                        dx_ + pixel * conv_.x.c + channel,
                        win.sx * conv_.x.c,
                        true};
  multiply(micro_, product, p.count, std::min<std::int64_t>(micro_.columns, ci - in_group));
}

void InputRows::add_columns(std::int64_t n, std::int64_t iy, const Sums& sums,
                            std::int64_t slice) const {
  const Window2D& win = conv_.window;
  const auto add_some = [&](std::int64_t kx, std::int64_t begin, std::int64_t end) {
    if (begin < end) add({n, iy, begin, kx, end - begin}, sums.column, slice);
  };
  if (inner_.length() > 0) {
    const std::int64_t kx = win.kw - 1;
    add({n, iy, inner_.begin + win.left - kx, kx, inner_.length()}, sums.all, slice);
  }
  for (std::int64_t kx = 0; kx < win.kw; ++kx) {
    const Range seeing = outputs_seeing(kx);
    if (inner_.length() == 0) {
      add_some(kx, seeing.begin, seeing.end);
      continue;
    }
    const std::int64_t shift = win.left - kx;  // from pixel to output
    add_some(kx, seeing.begin, std::min(seeing.end, inner_.begin + shift));
    add_some(kx, std::max(seeing.begin, inner_.end + shift), seeing.end);
  }
}

void InputRows::run(std::int64_t n, std::int64_t iy, std::int64_t first, std::int64_t last,
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
  Carver carver(scratch);
  const InputRows rows(conv, dy, w, dx, carver);
  const std::int64_t places = conv.x.n * conv.x.h;
  if (places == 0) return;
  rows.turn_weights();
  const std::int64_t shares = std::min(rows.slices(), ceil_div(kEnoughTasks, places));
  parallel_for(places * shares, [&](std::int64_t task, int worker) {
    const std::int64_t share = task / places, row = task % places;
    rows.run(row / conv.x.h, row % conv.x.h, rows.slices() * share / shares,
             rows.slices() * (share + 1) / shares, worker);
  });
}

std::size_t direct_backward_input_scratch(const Conv2D& conv) {
  Carver counter(nullptr);
  const InputRows rows(conv, nullptr, nullptr, nullptr, counter);
  return counter.bytes();
}

}  // namespace minicnn
