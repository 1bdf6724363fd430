#include "kernels/conv2d/direct_backward_weights.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "core/streaming.hpp"
#include "kernels/activation.hpp"
#include "kernels/conv2d/carver.hpp"
#include "kernels/conv2d/product.hpp"

// dw[ky, kx, c, f] is the sum over all output pixels of x[its cell (ky, kx), c] dy[its pixel, f]:
// the rows of a tile are inputs of the window, from one kernel row or several, the products of a
// sum are pixels.
//
// The order of a sum depends on the shapes only. Pixels make blocks of kBlock, blocks make leaves
// of kLeafBlocks, leaves join in pairs like the digits of a binary counter. The pixels are also
// cut in chunks, so that small weights give every thread work; their sums join in pairs, too.
// With padding, x is copied once with its zeros: then no window meets a border.
//
// db is summed beside the first rows of dw, from blocks of dy that are in cache: one row more.
//
// Behind a ReLU the chunks take turns, as many at once as have a copy of dy, with zeros where y has
// them, that stays in cache.

namespace minicnn {
namespace {

constexpr std::int64_t kLeafBlocks = 8;
constexpr std::int64_t kEnoughTasks = 64;
constexpr std::int64_t kMaxChunks = 32;
constexpr std::int64_t kCopyBytes = kCachedBytes * 3 / 4;
constexpr std::int64_t kStripTiles = 16;  // of rows: what one task takes of a block, while in cache

// Inputs [row, row + rows) of one group's window, by the filters of one slice.
struct Strip {
  std::int64_t group, row, rows, filter, columns;
};

struct Range {
  std::int64_t begin, end;

  std::int64_t size() const { return end - begin; }
};

// Where a strip's sums go: its rows, out_row apart, and its part of db, null if it has none.
struct Place {
  float* out;
  std::int64_t out_row;
  float* db;
};

class WeightSums {
 public:
  WeightSums(const Conv2D& conv, const float* dy, const float* x, float* dw, float* db, bool relu,
             Carver& carver);

  void copy_padded() const;
  std::int64_t strips() const;
  std::int64_t chunks() const { return chunks_; }
  std::int64_t chunks_at_once() const { return at_once_; }
  void copy_through_relu(const float* dy, const float* y, Range chunks);
  void run(std::int64_t strip, std::int64_t chunk, int worker) const;
  void join_chunks() const;

 private:
  const std::int64_t* inputs_of_window(Carver& carver) const;
  Sum sum_of_pixels(Carver& carver) const;
  void lay_out_sums(Carver& carver);
  Range blocks_of(Range chunks) const;
  Strip strip(std::int64_t index) const;
  bool sums_bias(const Strip& strip) const { return db_ != nullptr && strip.row == 0; }
  Place destination(const Strip& strip, std::int64_t chunk) const;
  void sum_leaf(const Strip& strip, Range blocks, const Place& to) const;
  const float* sum_leaves(const Strip& strip, Range blocks, float* stack) const;
  void join_chunks(float* first, std::int64_t offset, std::int64_t size) const;

  Conv2D conv_;
  Shape4 padded_;
  const float *dy_, *x_;
  float *dw_, *db_, *padded_x_;
  const Micro& micro_;
  const std::int64_t* inputs_;  // (taps,): where x has them, from the window's first; null: i
  std::int64_t strip_rows_, strips_per_group_, slices_per_group_;
  Sum pixels_;
  std::int64_t chunks_ = 1, at_once_ = 1, levels_ = 1;
  float* through_relu_ = nullptr;  // (pixels of the chunks at once, filters)
  float* partial_ = nullptr;       // (chunks - 1, taps + 1, filters): the first chunk has dw and db
  float* stacks_ = nullptr;        // (workers, levels, rows + 1, columns of a strip)
};

Shape4 padded_shape(const Conv2D& conv) {
  const Window2D& win = conv.window;
  return {conv.x.n, conv.x.h + win.top + win.bottom, conv.x.w + win.left + win.right, conv.x.c};
}

// Whole tiles, so that only the last strip has smaller ones; strips of nearly the same height.
std::int64_t strip_rows(const Conv2D& conv, const Micro& micro) {
  const std::int64_t tiles = ceil_div(conv.taps(), micro.rows);
  return ceil_div(tiles, ceil_div(tiles, kStripTiles)) * micro.rows;
}

WeightSums::WeightSums(const Conv2D& conv, const float* dy, const float* x, float* dw, float* db,
                       bool relu, Carver& carver)
    : conv_(conv),
      padded_(padded_shape(conv)),
      dy_(dy),
      x_(x),
      dw_(dw),
      db_(db),
      padded_x_(carver.take<float>(conv.pads() ? padded_.size() : 0)),
      micro_(conv2d_micro()),
      inputs_(inputs_of_window(carver)),
      strip_rows_(strip_rows(conv, micro_)),
      strips_per_group_(ceil_div(conv.taps(), strip_rows_)),
      slices_per_group_(ceil_div(conv.co(), micro_.columns)),
      pixels_(sum_of_pixels(carver)) {
  lay_out_sums(carver);
  at_once_ = chunks_;
  if (!relu) return;
  const auto floats = [&] {
    return blocks_of({chunks_ - at_once_, chunks_}).size() * kBlock * conv.filters;
  };
  while (at_once_ > 1 && floats() * std::int64_t(sizeof(float)) > kCopyBytes) at_once_ /= 2;
  through_relu_ = carver.take<float>(floats());
}

// In the order of the weights.
const std::int64_t* WeightSums::inputs_of_window(Carver& carver) const {
  const Window2D& win = conv_.window;
  if (win.kh * conv_.row_segments() == 1) return nullptr;  // side by side
  auto* inputs = carver.take<std::int64_t>(conv_.taps());
  if (inputs == nullptr) return nullptr;
  std::int64_t tap = 0;
  for (std::int64_t ky = 0; ky < win.kh; ++ky) {
    for (std::int64_t kx = 0; kx < win.kw; ++kx) {
      const std::int64_t cell = (ky * win.dy * padded_.w + kx * win.dx) * padded_.c;
      for (std::int64_t c = 0; c < conv_.ci(); ++c) inputs[tap++] = cell + c;
    }
  }
  return inputs;
}

// Output pixels in row-major order; each row's inputs are `sx` pixels apart.
Sum WeightSums::sum_of_pixels(Carver& carver) const {
  const auto [n, oh, ow, filters] = conv_.y();
  const std::int64_t blocks = ceil_div(n * oh * ow, kBlock);
  Run* runs = carver.take<Run>(most_runs(n * oh * ow, n * oh));
  std::int64_t* ends = carver.take<std::int64_t>(blocks + 1);
  if (runs == nullptr) return {nullptr, nullptr, blocks, 0};
  SumWriter writer(runs, ends);
  for (std::int64_t row = 0; row < n * oh; ++row) {
    const std::int64_t input_row = row / oh * padded_.h + row % oh * conv_.window.sy;
    writer.append(input_row * padded_.w * padded_.c, row * ow * filters, ow,
                  conv_.window.sx * padded_.c, filters);
  }
  return writer.sum();
}

void WeightSums::lay_out_sums(Carver& carver) {
  const std::int64_t most_chunks = std::min(kMaxChunks, pixels_.blocks);
  while (2 * chunks_ <= most_chunks && chunks_ * strips() < kEnoughTasks) chunks_ *= 2;
  const std::int64_t leaves = ceil_div(ceil_div(pixels_.blocks, chunks_), kLeafBlocks);
  for (std::int64_t full = 1; full <= leaves; full *= 2) ++levels_;
  partial_ = carver.take<float>((chunks_ - 1) * (conv_.taps() + 1) * conv_.filters);
  stacks_ = carver.take<float>(max_workers() * levels_ * (strip_rows_ + 1) * micro_.columns);
}

Range WeightSums::blocks_of(Range chunks) const {
  return {pixels_.blocks * chunks.begin / chunks_, pixels_.blocks * chunks.end / chunks_};
}

// Sums of these chunks then read the copy.
void WeightSums::copy_through_relu(const float* dy, const float* y, Range chunks) {
  const Range blocks = blocks_of(chunks);
  const std::int64_t first = blocks.begin * kBlock * conv_.filters;
  const std::int64_t last = std::min(blocks.end * kBlock * conv_.filters, conv_.y().size());
  relu_backward(dy + first, y + first, last - first, through_relu_);
  dy_ = through_relu_ - first;
}

void WeightSums::copy_padded() const {
  if (!conv_.pads()) return;
  const Window2D& win = conv_.window;
  const auto [n, h, w, c] = conv_.x;
  parallel_for(n * padded_.h, [&, h = h, w = w, c = c](std::int64_t row, int) {
    const std::int64_t y = row % padded_.h - win.top;
    float* to = padded_x_ + row * padded_.w * c;
    if (y < 0 || y >= h) {
      std::fill_n(to, padded_.w * c, 0.0F);
      return;
    }
    std::fill_n(to, win.left * c, 0.0F);
    std::copy_n(x_ + (row / padded_.h * h + y) * w * c, w * c, to + win.left * c);
    std::fill_n(to + (win.left + w) * c, win.right * c, 0.0F);
  });
}

std::int64_t WeightSums::strips() const {
  return conv_.groups * slices_per_group_ * strips_per_group_;
}

Strip WeightSums::strip(std::int64_t index) const {
  const std::int64_t row = index % strips_per_group_ * strip_rows_;
  const std::int64_t slice = index / strips_per_group_ % slices_per_group_;
  const std::int64_t group = index / strips_per_group_ / slices_per_group_;
  const std::int64_t in_group = slice * micro_.columns;
  return {group, row, std::min(strip_rows_, conv_.taps() - row), group * conv_.co() + in_group,
          std::min<std::int64_t>(micro_.columns, conv_.co() - in_group)};
}

Place WeightSums::destination(const Strip& s, std::int64_t chunk) const {
  const std::int64_t rows = conv_.taps() + 1, filters = conv_.filters;
  float* weights = chunk == 0 ? dw_ : partial_ + (chunk - 1) * rows * filters;
  float* bias = chunk == 0 ? db_ : weights + conv_.weights();
  return {weights + s.row * filters + s.filter, filters, sums_bias(s) ? bias + s.filter : nullptr};
}

// Block by block, so that dy is in the nearest cache for the second tile, and for db.
void WeightSums::sum_leaf(const Strip& s, Range blocks, const Place& to) const {
  const std::int64_t pixels = conv_.y().size() / conv_.filters;
  const float* x = (conv_.pads() ? padded_x_ : x_) + s.group * conv_.ci();
  Product product{inputs_ == nullptr ? x + s.row : x,
                  1,
                  conv_.window.sx * padded_.c,
                  dy_ + s.filter,
                  conv_.filters,
                  {},
                  nullptr,
                  to.out,
                  to.out_row,
                  false};
  if (inputs_ != nullptr) product.a_rows = inputs_ + s.row;
  for (std::int64_t block = blocks.begin; block < blocks.end; ++block) {
    product.sum = pixels_.part(block, block + 1);
    product.add = block > blocks.begin;
    multiply(micro_, product, s.rows, s.columns);
    if (to.db == nullptr) continue;
    const std::int64_t first = block * kBlock;
    micro_.sum_rows({dy_ + first * conv_.filters + s.filter, conv_.filters,
                     std::min(kBlock, pixels - first), int(s.columns), product.add},
                    to.db);
  }
}

void add_to(float* sum, const float* more, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) sum[i] += more[i];
}

// The stack holds sums of 1, 2, 4, ... leaves, the newest on top; two of a size join.
const float* WeightSums::sum_leaves(const Strip& s, Range blocks, float* stack) const {
  const std::int64_t rows = s.rows + sums_bias(s), size = rows * s.columns;
  std::int64_t depth = 0, leaves = 0;
  const auto join = [&] {
    --depth;
    add_to(stack + (depth - 1) * size, stack + depth * size, size);
  };
  for (std::int64_t begin = blocks.begin; begin < blocks.end; begin += kLeafBlocks) {
    float* top = stack + depth++ * size;
    sum_leaf(s, {begin, std::min(blocks.end, begin + kLeafBlocks)},
             {top, s.columns, sums_bias(s) ? top + s.rows * s.columns : nullptr});
    for (std::int64_t full = ++leaves; full % 2 == 0; full /= 2) join();
  }
  while (depth > 1) join();
  return stack;
}

void WeightSums::run(std::int64_t index, std::int64_t chunk, int worker) const {
  const Strip s = strip(index);
  const Range blocks = blocks_of({chunk, chunk + 1});
  const Place to = destination(s, chunk);
  if (blocks.size() <= kLeafBlocks) {
    sum_leaf(s, blocks, to);
    return;
  }
  float* stack = stacks_ + worker * levels_ * (strip_rows_ + 1) * micro_.columns;
  const float* total = sum_leaves(s, blocks, stack);
  for (std::int64_t row = 0; row < s.rows; ++row, total += s.columns) {
    std::copy_n(total, s.columns, to.out + row * to.out_row);
  }
  if (to.db != nullptr) std::copy_n(total, s.columns, to.db);
}

// The first chunk's `size` numbers at `first`, the others' at `offset` of their sums.
void WeightSums::join_chunks(float* first, std::int64_t offset, std::int64_t size) const {
  constexpr std::int64_t kPiece = 4096;
  const std::int64_t all = (conv_.taps() + 1) * conv_.filters;
  const auto numbers = [&](std::int64_t chunk) {
    return chunk == 0 ? first : partial_ + (chunk - 1) * all + offset;
  };
  parallel_for(ceil_div(size, kPiece), [&](std::int64_t piece, int) {
    const std::int64_t begin = piece * kPiece, count = std::min(kPiece, size - begin);
    for (std::int64_t step = 1; step < chunks_; step *= 2) {
      for (std::int64_t chunk = 0; chunk + step < chunks_; chunk += 2 * step) {
        add_to(numbers(chunk) + begin, numbers(chunk + step) + begin, count);
      }
    }
  });
}

void WeightSums::join_chunks() const {
  if (chunks_ == 1) return;
  join_chunks(dw_, 0, conv_.weights());
  if (db_ != nullptr) join_chunks(db_, conv_.weights(), conv_.filters);
}

}  // namespace

void direct_backward_weights(const Conv2D& shapes, const float* dy, const float* y, const float* x,
                             float* dw, float* db, char* scratch) noexcept {
  const Conv2D conv = flattened(shapes);
  Carver carver(scratch);
  if (conv.y().size() == 0) {
    std::fill_n(dw, conv.weights(), 0.0F);
    if (db != nullptr) std::fill_n(db, conv.filters, 0.0F);
    return;
  }
  WeightSums sums(conv, dy, x, dw, db, y != nullptr, carver);
  sums.copy_padded();
  const std::int64_t strips = sums.strips(), at_once = sums.chunks_at_once();
  for (std::int64_t chunk = 0; chunk < sums.chunks(); chunk += at_once) {
    if (y != nullptr) sums.copy_through_relu(dy, y, {chunk, chunk + at_once});
    parallel_for(strips * at_once, [&](std::int64_t task, int worker) {
      sums.run(task % strips, chunk + task / strips, worker);
    });
  }
  sums.join_chunks();
}

std::size_t direct_backward_weights_scratch(const Conv2D& shapes, bool relu) {
  const Conv2D conv = flattened(shapes);
  Carver counter(nullptr);
  const WeightSums sums(conv, nullptr, nullptr, nullptr, nullptr, relu, counter);
  return counter.bytes();
}

}  // namespace minicnn
