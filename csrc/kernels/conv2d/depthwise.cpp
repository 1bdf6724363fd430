#include "kernels/conv2d/depthwise.hpp"

#include <algorithm>

#include "core/blocks.hpp"
#include "kernels/conv2d/carver.hpp"
#include "kernels/conv2d/column_sums.hpp"
#include "kernels/loops/loops.hpp"

//   y[oy, ox]  = sum over cells of  x[the cell of (oy, ox)] w[cell]
//   dx[iy, ix] = sum over cells of dy[the output whose cell (iy, ix) is] w[cell]
//   dw[cell]   = sum over (oy, ox) of x[the cell of (oy, ox)] dy[oy, ox]
//
// all filter by filter. Of both axes, an Axis says which cells a position has. Positions one step
// apart that have the same cells make a run: what they read lies one step apart, too.
//
// Several filters a channel: x is first repeated, each channel for its filters, and dx folded.

namespace minicnn {
namespace {

constexpr std::int64_t kMaxCells = 256;
constexpr std::int64_t kMaxChunks = 64;
constexpr std::int64_t kFloatPixels = 128;  // whose products are added in float32, then in float64

// One axis of the forward pass (outputs that read inputs) or of the backward pass (the reverse).
struct Axis {
  std::int64_t positions, k, stride, dilation, pad, other;  // other: positions of what is read
  bool forward;

  std::int64_t step() const { return forward ? 1 : stride; }        // of the positions of a run
  std::int64_t other_step() const { return forward ? stride : 1; }  // of what they read

  // What `position` reads through a cell, or -1.
  std::int64_t read(std::int64_t position, std::int64_t cell) const {
    std::int64_t at = position * stride - pad + cell * dilation;
    if (!forward) {
      at = position + pad - cell * dilation;
      if (at < 0 || at % stride != 0) return -1;
      at /= stride;
    }
    return at >= 0 && at < other ? at : -1;
  }

  bool same_cells(std::int64_t a, std::int64_t b) const {
    for (std::int64_t cell = 0; cell < k; ++cell) {
      if ((read(a, cell) < 0) != (read(b, cell) < 0)) return false;
    }
    return true;
  }
};

// Positions first, first + step, ...: neighbors with the same cells.
struct Run1D {
  std::int64_t first, count;
};

// A depthwise convolution with one filter a channel, in one direction.
class Passage {
 public:
  Passage(const Conv2D& conv, bool forward, Carver& carver);

  std::int64_t rows() const { return shape_.n * shape_.h; }
  std::int64_t pixels() const { return shape_.w; }  // of a row
  std::int64_t row_size() const { return shape_.w * shape_.c; }
  // Calls visit(TapRun, its offset in the array that is read, in the row `row` of the other one).
  template <class Visit>
  void for_runs(std::int64_t row, Visit visit) const;

 private:
  Shape4 shape_, read_;  // of the arrays at the positions, and of what is read
  Axis vertical_, horizontal_;
  std::int64_t run_count_ = 0;
  Run1D* runs_;  // (positions,) at most
};

Passage::Passage(const Conv2D& conv, bool forward, Carver& carver)
    : shape_(forward ? conv.y() : conv.x), read_(forward ? conv.x : conv.y()) {
  const Window2D& win = conv.window;
  vertical_ = {shape_.h, win.kh, win.sy, win.dy, win.top, read_.h, forward};
  horizontal_ = {shape_.w, win.kw, win.sx, win.dx, win.left, read_.w, forward};
  runs_ = carver.take<Run1D>(shape_.w);
  if (runs_ == nullptr) return;
  const std::int64_t step = horizontal_.step();
  for (std::int64_t start = 0; start < std::min(step, shape_.w); ++start) {
    for (std::int64_t at = start; at < shape_.w;) {
      Run1D run{at, 0};
      for (; at < shape_.w && horizontal_.same_cells(run.first, at); at += step) ++run.count;
      runs_[run_count_++] = run;
    }
  }
}

template <class Visit>
void Passage::for_runs(std::int64_t row, Visit visit) const {
  const std::int64_t c = shape_.c, n = row / shape_.h, y = row % shape_.h;
  Tap taps[kMaxCells];
  for (const Run1D* run = runs_; run != runs_ + run_count_; ++run) {
    std::int64_t count = 0;
    for (std::int64_t ky = 0; ky < vertical_.k; ++ky) {
      const std::int64_t from_row = vertical_.read(y, ky);
      for (std::int64_t kx = 0; from_row >= 0 && kx < horizontal_.k; ++kx) {
        const std::int64_t from = horizontal_.read(run->first, kx);
        if (from < 0) continue;
        taps[count++] = {((n * read_.h + from_row) * read_.w + from) * c,
                         (ky * horizontal_.k + kx) * c};
      }
    }
    visit(TapRun{run->count, horizontal_.other_step() * c, horizontal_.step() * c, c, taps, count},
          run->first * c);
  }
}

std::int64_t multiplier(const Conv2D& conv) { return conv.filters / conv.x.c; }

// The same convolution with a channel for each filter.
Conv2D widened(Conv2D conv) {
  conv.x.c = conv.groups = conv.filters;
  return conv;
}

// x with each channel repeated for its filters; x itself where there is one filter a channel.
const float* repeated(const Conv2D& conv, const float* x, Carver& carver) {
  const std::int64_t times = multiplier(conv), c = conv.x.c;
  if (times == 1) return x;
  float* wide = carver.take<float>(conv.x.size() * times);
  if (wide == nullptr) return nullptr;
  parallel_rows(conv.x.size() / c, c * times, [=](std::int64_t row, int) {
    for (std::int64_t i = 0; i < c; ++i) {
      std::fill_n(wide + (row * c + i) * times, times, x[row * c + i]);
    }
  });
  return wide;
}

void fold(const Conv2D& conv, const float* wide, float* dx) {
  const std::int64_t times = multiplier(conv), c = conv.x.c;
  parallel_rows(conv.x.size() / c, c * times, [=](std::int64_t row, int) {
    for (std::int64_t i = row * c; i < (row + 1) * c; ++i) {
      float sum = 0;
      for (std::int64_t j = 0; j < times; ++j) sum += wide[i * times + j];
      dx[i] = sum;
    }
  });
}

void run_rows(const Passage& passage, const float* read, const float* w, const float* bias,
              float* out) {
  const Loops& own = loops();
  parallel_rows(passage.rows(), passage.row_size(), [&](std::int64_t row, int) {
    float* to = out + row * passage.row_size();
    passage.for_runs(row, [&](const TapRun& run, std::int64_t offset) {
      own.multiply_taps(run, read, w, bias, to + offset);
    });
  });
}

std::int64_t rows_of_block(const Passage& passage) {
  return std::max<std::int64_t>(1, kFloatPixels / passage.pixels());
}

// dw in chunks of output rows, each summed in its own place, (chunks, KH, KW, filters).
struct WeightChunks {
  WeightChunks(const Conv2D& conv, const Passage& passage, Carver& carver)
      : count(std::clamp<std::int64_t>(passage.rows() / rows_of_block(passage), 1, kMaxChunks)),
        size(conv.weights()),
        totals(carver.take<double>(count * size)),
        blocks(carver.take<float>(max_workers() * size)) {}

  std::int64_t count, size;
  double* totals;
  float* blocks;  // (workers, KH, KW, filters)
};

void sum_chunk(const Passage& passage, const float* dy, const float* x, std::int64_t begin,
               std::int64_t end, float* block, const WeightChunks& chunks, double* total) {
  const std::int64_t step = rows_of_block(passage);
  std::fill_n(total, chunks.size, 0.0);
  for (std::int64_t first = begin; first < end; first += step) {
    std::fill_n(block, chunks.size, 0.0F);
    for (std::int64_t row = first; row < std::min(end, first + step); ++row) {
      passage.for_runs(row, [&](const TapRun& run, std::int64_t offset) {
        loops().add_tap_products(run, x, dy + row * passage.row_size() + offset, block);
      });
    }
    for (std::int64_t i = 0; i < chunks.size; ++i) total[i] += double(block[i]);
  }
}

}  // namespace

bool is_depthwise(const Conv2D& conv) {
  return conv.groups > 1 && conv.groups == conv.x.c &&
         conv.window.kh * conv.window.kw <= kMaxCells;
}

void depthwise_forward(const Conv2D& conv, const float* x, const float* w, const float* b, float* y,
                       char* scratch) noexcept {
  Carver carver(scratch);
  const float* wide = repeated(conv, x, carver);
  run_rows(Passage(widened(conv), true, carver), wide, w, b, y);
}

std::size_t depthwise_forward_scratch(const Conv2D& conv) {
  Carver counter(nullptr);
  repeated(conv, nullptr, counter);
  Passage(widened(conv), true, counter);
  return counter.bytes();
}

void depthwise_backward_input(const Conv2D& conv, const float* dy, const float* w, float* dx,
                              char* scratch) noexcept {
  Carver carver(scratch);
  const Passage passage(widened(conv), false, carver);
  if (multiplier(conv) == 1) {
    run_rows(passage, dy, w, nullptr, dx);
    return;
  }
  float* wide = carver.take<float>(conv.x.size() * multiplier(conv));
  run_rows(passage, dy, w, nullptr, wide);
  fold(conv, wide, dx);
}

std::size_t depthwise_backward_input_scratch(const Conv2D& conv) {
  Carver counter(nullptr);
  Passage(widened(conv), false, counter);
  counter.take<float>(multiplier(conv) == 1 ? 0 : conv.x.size() * multiplier(conv));
  return counter.bytes();
}

void depthwise_backward_weights(const Conv2D& conv, const float* dy, const float* x, float* dw,
                                float* db, char* scratch) noexcept {
  if (db != nullptr) column_sums(dy, conv.y().size() / conv.filters, conv.filters, db, scratch);
  Carver carver(scratch);
  const float* wide = repeated(conv, x, carver);
  const Passage passage(widened(conv), true, carver);
  const WeightChunks chunks(conv, passage, carver);
  const std::int64_t rows = passage.rows(), size = chunks.size;
  parallel_for(chunks.count, [&](std::int64_t chunk, int worker) {
    sum_chunk(passage, dy, wide, rows * chunk / chunks.count, rows * (chunk + 1) / chunks.count,
              chunks.blocks + worker * size, chunks, chunks.totals + chunk * size);
  });
  parallel_rows(size, chunks.count, [&](std::int64_t i, int) {
    double sum = 0;
    for (std::int64_t chunk = 0; chunk < chunks.count; ++chunk) {
      sum += chunks.totals[chunk * size + i];
    }
    dw[i] = float(sum);
  });
}

std::size_t depthwise_backward_weights_scratch(const Conv2D& conv) {
  Carver counter(nullptr);
  repeated(conv, nullptr, counter);
  const Passage passage(widened(conv), true, counter);
  WeightChunks(conv, passage, counter);
  const std::int64_t pixels = conv.y().size() / conv.filters;
  return std::max(counter.bytes(), column_sums_scratch(pixels, conv.filters));
}

}  // namespace minicnn
