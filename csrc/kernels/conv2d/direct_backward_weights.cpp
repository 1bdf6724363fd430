#include "kernels/conv2d/direct_backward_weights.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "kernels/conv2d/carver.hpp"
#include "kernels/conv2d/column_sums.hpp"
#include "kernels/conv2d/product.hpp"

// dw[ky, kx, c, f] is the sum over all output pixels of x[its cell (ky, kx), c] dy[its pixel, f]:
// the rows of a tile are inputs side by side, the products of a sum are pixels.
//
// The order of a sum depends on the shapes only. Pixels make blocks of kBlock, blocks make leaves
// of kLeafBlocks, leaves join in pairs like the digits of a binary counter. The pixels are also
// cut in chunks, so that small weights give every thread work; their sums join in pairs, too.
// With padding, x is copied once with its zeros: then no window meets a border.

namespace minicnn {
namespace {

constexpr std::int64_t kLeafBlocks = 8;
constexpr std::int64_t kEnoughTasks = 64;
constexpr std::int64_t kMostChunks = 16;
constexpr std::int64_t kStripTiles = 16;  // of rows: what one task takes of a block, while in cache

// Inputs [row, row + rows) of one segment, by the filters of one slice.
struct Strip {
  std::int64_t group, ky, segment, row, rows, filter, columns;
};

class WeightSums {
 public:
  WeightSums(const Conv2D& conv, const float* dy, const float* x, float* dw, Carver& carver);

  void copy_padded() const;
  std::int64_t strips() const;
  std::int64_t chunks() const { return chunks_; }
  void run(std::int64_t strip, std::int64_t chunk, int worker) const;
  void join_chunks() const;

 private:
  Sum sum_of_pixels(Carver& carver) const;
  void lay_out_sums(Carver& carver);
  Strip strip(std::int64_t index) const;
  float* destination(std::int64_t chunk) const;
  void sum_leaf(const Strip& strip, const Sum& leaf, float* out, std::int64_t out_row) const;
  const float* sum_leaves(const Strip& strip, const Sum& chunk, float* stack) const;

  Conv2D conv_;
  Shape4 padded_;
  const float *dy_, *x_;
  float *dw_, *padded_x_;
  const Micro& micro_;
  std::int64_t strip_rows_, strips_per_segment_, slices_per_group_;
  Sum pixels_;
  std::int64_t chunks_ = 1, levels_ = 1;
  float* partial_ = nullptr;  // (chunks - 1, weights): the first chunk's place is dw itself
  float* stacks_ = nullptr;   // (workers, levels, rows, columns of a strip)
};

Shape4 padded_shape(const Conv2D& conv) {
  const Window2D& win = conv.window;
  return {conv.x.n, conv.x.h + win.top + win.bottom, conv.x.w + win.left + win.right, conv.x.c};
}

WeightSums::WeightSums(const Conv2D& conv, const float* dy, const float* x, float* dw,
                       Carver& carver)
    : conv_(conv),
      padded_(padded_shape(conv)),
      dy_(dy),
      x_(x),
      dw_(dw),
      padded_x_(carver.take<float>(conv.pads() ? padded_.size() : 0)),
      micro_(conv2d_micro()),
      strip_rows_(kStripTiles * micro_.rows),
      strips_per_segment_(ceil_div(conv.segment_length(), strip_rows_)),
      slices_per_group_(ceil_div(conv.co(), micro_.columns)),
      pixels_(sum_of_pixels(carver)) {
  lay_out_sums(carver);
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
  const std::int64_t most_chunks = std::min(kMostChunks, pixels_.blocks);
  while (2 * chunks_ <= most_chunks && chunks_ * strips() < kEnoughTasks) chunks_ *= 2;
  const std::int64_t leaves = ceil_div(ceil_div(pixels_.blocks, chunks_), kLeafBlocks);
  for (std::int64_t full = 1; full <= leaves; full *= 2) ++levels_;
  partial_ = carver.take<float>((chunks_ - 1) * conv_.weights());
  stacks_ = carver.take<float>(kMaxWorkers * levels_ * strip_rows_ * micro_.columns);
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
  const std::int64_t segments = conv_.window.kh * conv_.row_segments();
  return conv_.groups * slices_per_group_ * segments * strips_per_segment_;
}

Strip WeightSums::strip(std::int64_t index) const {
  const auto next = [&index](std::int64_t count) {
    const std::int64_t digit = index % count;
    index /= count;
    return digit;
  };
  const std::int64_t part = next(strips_per_segment_), segment = next(conv_.row_segments());
  const std::int64_t ky = next(conv_.window.kh), slice = next(slices_per_group_);
  const std::int64_t length = conv_.segment_length(), row = length * part / strips_per_segment_;
  const std::int64_t in_group = slice * micro_.columns;
  return {index,
          ky,
          segment,
          row,
          length * (part + 1) / strips_per_segment_ - row,
          index * conv_.co() + in_group,
          std::min<std::int64_t>(micro_.columns, conv_.co() - in_group)};
}

float* WeightSums::destination(std::int64_t chunk) const {
  return chunk == 0 ? dw_ : partial_ + (chunk - 1) * conv_.weights();
}

void WeightSums::sum_leaf(const Strip& s, const Sum& leaf, float* out, std::int64_t out_row) const {
  const Window2D& win = conv_.window;
  const std::int64_t pixel = s.ky * win.dy * padded_.w + s.segment * win.dx;
  const float* x = conv_.pads() ? padded_x_ : x_;
  const Product product{x + pixel * padded_.c + s.group * conv_.ci() + s.row,
                        1,
                        win.sx * padded_.c,
                        dy_ + s.filter,
                        conv_.filters,
                        leaf,
                        nullptr,
                        out,
                        out_row,
                        false};
  multiply(micro_, product, s.rows, s.columns);
}

void add_to(float* sum, const float* more, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) sum[i] += more[i];
}

// The stack holds sums of 1, 2, 4, ... leaves, the newest on top; two of a size join.
const float* WeightSums::sum_leaves(const Strip& s, const Sum& chunk, float* stack) const {
  const std::int64_t size = s.rows * s.columns, leaves = ceil_div(chunk.blocks, kLeafBlocks);
  std::int64_t depth = 0;
  const auto join = [&] {
    --depth;
    add_to(stack + (depth - 1) * size, stack + depth * size, size);
  };
  for (std::int64_t leaf = 0; leaf < leaves; ++leaf) {
    const std::int64_t begin = leaf * kLeafBlocks,
                       end = std::min(chunk.blocks, begin + kLeafBlocks);
    sum_leaf(s, chunk.part(begin, end), stack + depth++ * size, s.columns);
    for (std::int64_t full = leaf + 1; full % 2 == 0; full /= 2) join();
  }
  while (depth > 1) join();
  return stack;
}

void WeightSums::run(std::int64_t index, std::int64_t chunk, int worker) const {
  const Strip s = strip(index);
  const Sum sum =
      pixels_.part(pixels_.blocks * chunk / chunks_, pixels_.blocks * (chunk + 1) / chunks_);
  const std::int64_t input =
      (s.ky * conv_.row_segments() + s.segment) * conv_.segment_length() + s.row;
  float* out = destination(chunk) + input * conv_.filters + s.filter;
  if (sum.blocks <= kLeafBlocks) {
    sum_leaf(s, sum, out, conv_.filters);
    return;
  }
  float* stack = stacks_ + worker * levels_ * strip_rows_ * micro_.columns;
  const float* total = sum_leaves(s, sum, stack);
  for (std::int64_t row = 0; row < s.rows; ++row) {
    std::copy_n(total + row * s.columns, s.columns, out + row * conv_.filters);
  }
}

void WeightSums::join_chunks() const {
  constexpr std::int64_t kPiece = 4096;
  const std::int64_t weights = conv_.weights();
  if (chunks_ == 1) return;
  parallel_for(ceil_div(weights, kPiece), [&](std::int64_t piece, int) {
    const std::int64_t begin = piece * kPiece, count = std::min(kPiece, weights - begin);
    for (std::int64_t step = 1; step < chunks_; step *= 2) {
      for (std::int64_t chunk = 0; chunk + step < chunks_; chunk += 2 * step) {
        add_to(destination(chunk) + begin, destination(chunk + step) + begin, count);
      }
    }
  });
}

}  // namespace

void direct_backward_weights(const Conv2D& shapes, const float* dy, const float* x, float* dw,
                             float* db, char* scratch) noexcept {
  const Conv2D conv = flattened(shapes);
  Carver carver(scratch);
  if (db != nullptr) column_sums(dy, conv.y().size() / conv.filters, conv.filters, db, scratch);
  if (conv.y().size() == 0) {
    std::fill_n(dw, conv.weights(), 0.0F);
    return;
  }
  const WeightSums sums(conv, dy, x, dw, carver);
  sums.copy_padded();
  const std::int64_t strips = sums.strips();
  parallel_for(strips * sums.chunks(), [&](std::int64_t task, int worker) {
    sums.run(task % strips, task / strips, worker);
  });
  sums.join_chunks();
}

std::size_t direct_backward_weights_scratch(const Conv2D& shapes) {
  const Conv2D conv = flattened(shapes);
  Carver counter(nullptr);
  const WeightSums sums(conv, nullptr, nullptr, nullptr, counter);
  const std::int64_t pixels = conv.y().size() / conv.filters;
  return std::max(counter.bytes(), column_sums_scratch(pixels, conv.filters));
}

}  // namespace minicnn
