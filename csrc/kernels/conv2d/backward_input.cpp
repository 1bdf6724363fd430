#include "kernels/conv2d/backward_input.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "kernels/conv2d/carver.hpp"
#include "kernels/conv2d/product.hpp"
#include "kernels/conv2d/transpose.hpp"

// dx[iy, ix] is the sum of dy[oy, ox] w[ky, kx]^T over the cells (ky, kx) whose window at (oy, ox)
// looks at (iy, ix). The outputs that look at one row of dx through one cell are neighbours in dy,
// and what they look at is `sx` pixels apart in dx: a tile. So each row of dx starts at zero and
// the cells add their tiles to it, while it stays in cache. Strides, padding and dilation only
// choose which pixels; nothing is multiplied by the zeros around dy.
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
  // Of slice number `slice`, or C for the one after the last.
  std::int64_t first_channel(std::int64_t slice) const {
    return slice / slices_per_group_ * conv_.ci() + slice % slices_per_group_ * micro_.columns;
  }
  // Row `iy` of image `n`, the channels of the slices [first, last): as in ForwardRows.
  void run(std::int64_t n, std::int64_t iy, std::int64_t first, std::int64_t last) const;

 private:
  Sum sum_of_cells(std::int64_t cells, Carver& carver) const;
  Range outputs_seeing(std::int64_t kx) const;
  Range pixels_of_all_cells() const;
  std::int64_t output_row(std::int64_t iy, std::int64_t ky) const;
  void add_kernel_row(std::int64_t n, std::int64_t iy, std::int64_t ky, std::int64_t slice) const;

  // `sum` at output pixel `ox`, and the next count - 1, through cell (ky, kx) to pixel `ix` and on.
  struct Place {
    std::int64_t n, iy, ix, oy, ox, ky, kx, count;
  };
  void add(const Place& place, const Sum& sum, std::int64_t slice) const;

  Conv2D conv_;
  const float *dy_, *w_;
  float* dx_;
  const Micro& micro_;
  std::int64_t slices_per_group_;
  Range inner_;  // pixels of a row that take a whole kernel row at once; empty if not worth it
  float* turned_;  // (KH, KW backwards, groups, filters / groups, C / groups)
  Sum cell_, cells_;
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
      cell_(sum_of_cells(1, carver)),
      cells_(sum_of_cells(conv.window.kw, carver)) {}

Sum InputRows::sum_of_cells(std::int64_t cells, Carver& carver) const {
  const std::int64_t products = cells * conv_.co();
  Run* runs = carver.take<Run>(most_runs(products, cells));
  std::int64_t* ends = carver.take<std::int64_t>(most_blocks(products));
  if (runs == nullptr) return {};
  SumWriter writer(runs, ends);
  for (std::int64_t i = 0; i < cells; ++i) {
    writer.append(i * conv_.filters, i * conv_.filters * conv_.ci(), conv_.co(), 1, conv_.ci());
  }
  return writer.sum();
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
  const std::int64_t turned_cell = p.ky * win.kw + win.kw - 1 - p.kx;
  const std::int64_t output = (p.n * conv_.oh() + p.oy) * conv_.ow() + p.ox;
  const std::int64_t pixel = (p.n * conv_.x.h + p.iy) * conv_.x.w + p.ix;
  const Product product{dy_ + output * conv_.filters + group * co,
                        conv_.filters,
                        1,
                        turned_ + (turned_cell * conv_.groups + group) * co * ci + in_group,
                        ci,
                        sum,
                        nullptr,
                        dx_ + pixel * conv_.x.c + channel,
                        win.sx * conv_.x.c,
                        true};
  multiply(micro_, product, p.count, std::min<std::int64_t>(micro_.columns, ci - in_group));
}

void InputRows::add_kernel_row(std::int64_t n, std::int64_t iy, std::int64_t ky,
                               std::int64_t slice) const {
  const Window2D& win = conv_.window;
  const std::int64_t oy = output_row(iy, ky);
  if (oy < 0) return;
  const auto add_cell = [&](std::int64_t kx, std::int64_t begin, std::int64_t end) {
    const std::int64_t ix = begin * win.sx - win.left + kx * win.dx;
    if (begin < end) add({n, iy, ix, oy, begin, ky, kx, end - begin}, cell_, slice);
  };
  if (inner_.length() > 0) {
    const std::int64_t kx = win.kw - 1, first = inner_.begin + win.left - kx;
    add({n, iy, inner_.begin, oy, first, ky, kx, inner_.length()}, cells_, slice);
  }
  for (std::int64_t kx = 0; kx < win.kw; ++kx) {
    const Range all = outputs_seeing(kx);
    if (inner_.length() == 0) {
      add_cell(kx, all.begin, all.end);
      continue;
    }
    const std::int64_t shift = win.left - kx;  // from pixel to output
    add_cell(kx, all.begin, std::min(all.end, inner_.begin + shift));
    add_cell(kx, std::max(all.begin, inner_.end + shift), all.end);
  }
}

void InputRows::run(std::int64_t n, std::int64_t iy, std::int64_t first, std::int64_t last) const {
  const auto [images, h, w, c] = conv_.x;
  const std::int64_t begin = first_channel(first), end = first_channel(last);
  float* row = dx_ + (n * h + iy) * w * c;
  for (std::int64_t ix = 0; ix < w; ++ix) std::fill(row + ix * c + begin, row + ix * c + end, 0.0F);
  for (std::int64_t slice = first; slice < last; ++slice) {
    for (std::int64_t ky = 0; ky < conv_.window.kh; ++ky) add_kernel_row(n, iy, ky, slice);
  }
}

}  // namespace

void conv2d_backward_input(const Conv2D& conv, const float* dy, const float* w, float* dx,
                           char* scratch) noexcept {
  Carver carver(scratch);
  const InputRows rows(conv, dy, w, dx, carver);
  const std::int64_t places = conv.x.n * conv.x.h;
  if (places == 0) return;
  rows.turn_weights();
  const std::int64_t shares = std::min(rows.slices(), ceil_div(kEnoughTasks, places));
  parallel_for(places * shares, [&](std::int64_t task, int) {
    const std::int64_t share = task / places, row = task % places;
    rows.run(row / conv.x.h, row % conv.x.h, rows.slices() * share / shares,
             rows.slices() * (share + 1) / shares);
  });
}

std::size_t conv2d_backward_input_scratch(const Conv2D& conv) {
  Carver counter(nullptr);
  const InputRows rows(conv, nullptr, nullptr, nullptr, counter);
  return counter.bytes();
}

}  // namespace minicnn
