#include "kernels/conv2d/direct/backward_weights.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "core/scratch.hpp"
#include "core/streaming.hpp"
#include "kernels/activation/activation.hpp"
#include "kernels/gemm/product.hpp"

// dw[ky, kx, c, f] is the sum over all output pixels (oy, ox) of x[cell (ky, kx) of the window, c]
// dy[oy, ox, f]. The rows of a tile are inputs of the window, from one kernel row or several; the
// products of a sum run over the pixels.
//
// The order of a sum depends on the shapes only. Pixels form blocks of kBlockProducts, blocks form
// leaves of kLeafBlocks, and the sums of leaves are added in pairs, like the digits of a binary
// counter. The pixels are also divided into chunks, so that small weights give work to every
// thread; the sums of the chunks are added in pairs, too. If the convolution pads, x is first
// copied with its zeros, so that no window crosses a border.
//
// db is summed together with the first rows of dw, from blocks of dy that are in cache.
//
// After a ReLU, a copy of dy is multiplied by the mask of y. The chunks are processed in groups
// that are small enough for their copy to stay in cache.

namespace minicnn {
namespace {

constexpr std::int64_t kLeafBlocks = 8;
constexpr std::int64_t kEnoughTasks = 64;
constexpr std::int64_t kMaxChunks = 32;
constexpr std::int64_t kCopyBytes = kCachedBytes * 3 / 4;
constexpr std::int64_t kStripTiles =
    16;  // the most tiles in a strip, which a block of dy serves while in cache

// A part of dw: inputs [row, row + rows) of a group's window, and the filters of one slice.
struct Strip {
  std::int64_t group, row, rows, filter, columns;
};

// Where the sums of a strip are written: rows `out_row` floats apart, and its part of db or null.
struct StripOutput {
  float* out;
  std::int64_t out_row;
  float* db;
};

class DirectWeightGradient {
 public:
  DirectWeightGradient(const Conv2D& conv, const float* dy, const float* x, float* dw, float* db,
                       bool relu, ScratchAllocator& allocator);

  void copy_padded() const;
  std::int64_t strips() const;
  std::int64_t chunks() const { return chunks_; }
  std::int64_t chunks_at_once() const { return at_once_; }
  void copy_masked_dy(const float* dy, const float* y, IndexRange chunks);
  void run(std::int64_t strip, std::int64_t chunk, int worker) const;
  void join_chunks() const;

 private:
  const std::int64_t* inputs_of_window(ScratchAllocator& allocator) const;
  BlockedSum sum_of_pixels(ScratchAllocator& allocator) const;
  void lay_out_sums(ScratchAllocator& allocator);
  IndexRange blocks_of_chunks(IndexRange chunks) const;
  Strip strip(std::int64_t index) const;
  bool sums_bias(const Strip& strip) const { return db_ != nullptr && strip.row == 0; }
  StripOutput destination(const Strip& strip, std::int64_t chunk) const;
  void sum_leaf(const Strip& strip, IndexRange blocks, const StripOutput& to) const;
  const float* sum_leaves(const Strip& strip, IndexRange blocks, float* stack) const;
  void join_chunks(float* first, std::int64_t offset, std::int64_t size) const;

  Conv2D conv_;
  Shape4 padded_;
  const float *dy_, *x_;
  float *dw_, *db_, *padded_x_;
  const MicroKernel& micro_;
  const std::int64_t*
      inputs_;  // (taps,): offsets in x from the window's first input; null: 0, 1, ...
  std::int64_t strip_rows_, strips_per_group_, slices_per_group_;
  BlockedSum pixels_;
  std::int64_t chunks_ = 1, at_once_ = 1, levels_ = 1;
  float* masked_dy_ = nullptr;  // (pixels of chunks_at_once(), filters)
  float* partial_ = nullptr;    // (chunks - 1, taps + 1, filters); the first chunk uses dw and db
  float* stacks_ = nullptr;     // (workers, levels, rows + 1, columns of a strip)
};

Shape4 padded_shape(const Conv2D& conv) {
  const Window2D& win = conv.window;
  return {conv.x.n, conv.x.h + win.top + win.bottom, conv.x.w + win.left + win.right, conv.x.c};
}

// Strips consist of whole tiles, so that only the last strip has smaller ones, and have nearly the
// same height.
std::int64_t strip_rows(const Conv2D& conv, const MicroKernel& micro) {
  const std::int64_t tiles = ceil_div(conv.taps(), micro.rows);
  return ceil_div(tiles, ceil_div(tiles, kStripTiles)) * micro.rows;
}

DirectWeightGradient::DirectWeightGradient(const Conv2D& conv, const float* dy, const float* x,
                                           float* dw, float* db, bool relu,
                                           ScratchAllocator& allocator)
    : conv_(conv),
      padded_(padded_shape(conv)),
      dy_(dy),
      x_(x),
      dw_(dw),
      db_(db),
      padded_x_(allocator.allocate<float>(conv.pads() ? padded_.size() : 0)),
      micro_(gemm_micro_kernel()),
      inputs_(inputs_of_window(allocator)),
      strip_rows_(strip_rows(conv, micro_)),
      strips_per_group_(ceil_div(conv.taps(), strip_rows_)),
      slices_per_group_(ceil_div(conv.co(), micro_.columns)),
      pixels_(sum_of_pixels(allocator)) {
  lay_out_sums(allocator);
  at_once_ = chunks_;
  if (!relu) return;
  const auto floats = [&] {
    return blocks_of_chunks({chunks_ - at_once_, chunks_}).size() * kBlockProducts * conv.filters;
  };
  while (at_once_ > 1 && floats() * std::int64_t(sizeof(float)) > kCopyBytes) at_once_ /= 2;
  masked_dy_ = allocator.allocate<float>(floats());
}

// The offsets of a window's inputs, in the order of the weights.
const std::int64_t* DirectWeightGradient::inputs_of_window(ScratchAllocator& allocator) const {
  const Window2D& win = conv_.window;
  if (win.kh * conv_.row_segments() == 1) return nullptr;  // contiguous
  auto* inputs = allocator.allocate<std::int64_t>(conv_.taps());
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

// The sum over the output pixels in row-major order; the inputs of a row are `sx` pixels apart.
BlockedSum DirectWeightGradient::sum_of_pixels(ScratchAllocator& allocator) const {
  const auto [n, oh, ow, filters] = conv_.y();
  const std::int64_t blocks = ceil_div(n * oh * ow, kBlockProducts);
  Segment* segments = allocator.allocate<Segment>(max_segments(n * oh * ow, n * oh));
  std::int64_t* ends = allocator.allocate<std::int64_t>(blocks + 1);
  if (segments == nullptr) return {nullptr, nullptr, blocks, 0};
  BlockedSumWriter writer(segments, ends);
  for (std::int64_t row = 0; row < n * oh; ++row) {
    const std::int64_t input_row = row / oh * padded_.h + row % oh * conv_.window.sy;
    writer.append(input_row * padded_.w * padded_.c, row * ow * filters, ow,
                  conv_.window.sx * padded_.c, filters);
  }
  return writer.sum();
}

void DirectWeightGradient::lay_out_sums(ScratchAllocator& allocator) {
  const std::int64_t most_chunks = std::min(kMaxChunks, pixels_.blocks);
  while (2 * chunks_ <= most_chunks && chunks_ * strips() < kEnoughTasks) chunks_ *= 2;
  const std::int64_t leaves = ceil_div(ceil_div(pixels_.blocks, chunks_), kLeafBlocks);
  for (std::int64_t full = 1; full <= leaves; full *= 2) ++levels_;
  partial_ = allocator.allocate<float>((chunks_ - 1) * (conv_.taps() + 1) * conv_.filters);
  stacks_ = allocator.allocate<float>(max_workers() * levels_ * (strip_rows_ + 1) * micro_.columns);
}

IndexRange DirectWeightGradient::blocks_of_chunks(IndexRange chunks) const {
  return {pixels_.blocks * chunks.begin / chunks_, pixels_.blocks * chunks.end / chunks_};
}

// From now on the sums of these chunks read the masked copy of dy.
void DirectWeightGradient::copy_masked_dy(const float* dy, const float* y, IndexRange chunks) {
  const IndexRange blocks = blocks_of_chunks(chunks);
  const std::int64_t first = blocks.begin * kBlockProducts * conv_.filters;
  const std::int64_t last = std::min(blocks.end * kBlockProducts * conv_.filters, conv_.y().size());
  relu_backward(dy + first, y + first, last - first, masked_dy_);
  dy_ = masked_dy_ - first;
}

void DirectWeightGradient::copy_padded() const {
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

std::int64_t DirectWeightGradient::strips() const {
  return conv_.groups * slices_per_group_ * strips_per_group_;
}

Strip DirectWeightGradient::strip(std::int64_t index) const {
  const std::int64_t row = index % strips_per_group_ * strip_rows_;
  const std::int64_t slice = index / strips_per_group_ % slices_per_group_;
  const std::int64_t group = index / strips_per_group_ / slices_per_group_;
  const std::int64_t in_group = slice * micro_.columns;
  return {group, row, std::min(strip_rows_, conv_.taps() - row), group * conv_.co() + in_group,
          std::min<std::int64_t>(micro_.columns, conv_.co() - in_group)};
}

StripOutput DirectWeightGradient::destination(const Strip& s, std::int64_t chunk) const {
  const std::int64_t rows = conv_.taps() + 1, filters = conv_.filters;
  float* weights = chunk == 0 ? dw_ : partial_ + (chunk - 1) * rows * filters;
  float* bias = chunk == 0 ? db_ : weights + conv_.weights();
  return {weights + s.row * filters + s.filter, filters, sums_bias(s) ? bias + s.filter : nullptr};
}

// Works block by block, so that dy is in the L1 cache for the second tile and for db.
void DirectWeightGradient::sum_leaf(const Strip& s, IndexRange blocks,
                                    const StripOutput& to) const {
  const std::int64_t pixels = conv_.y().size() / conv_.filters;
  const float* x = (conv_.pads() ? padded_x_ : x_) + s.group * conv_.ci();
  MatrixProduct product{inputs_ == nullptr ? x + s.row : x,
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
    multiply_matrices(micro_, product, s.rows, s.columns);
    if (to.db == nullptr) continue;
    const std::int64_t first = block * kBlockProducts;
    micro_.sum_rows({dy_ + first * conv_.filters + s.filter, conv_.filters,
                     std::min(kBlockProducts, pixels - first), int(s.columns), product.add},
                    to.db);
  }
}

void add_to(float* sum, const float* more, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) sum[i] += more[i];
}

// The stack holds sums of 1, 2, 4, ... leaves, the newest on top; two of the same size are added.
const float* DirectWeightGradient::sum_leaves(const Strip& s, IndexRange blocks,
                                              float* stack) const {
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

void DirectWeightGradient::run(std::int64_t index, std::int64_t chunk, int worker) const {
  const Strip s = strip(index);
  const IndexRange blocks = blocks_of_chunks({chunk, chunk + 1});
  const StripOutput to = destination(s, chunk);
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

// Adds up the chunks' values: `size` values, at `first` for the first chunk and at `offset` in the
// sums of the others.
void DirectWeightGradient::join_chunks(float* first, std::int64_t offset, std::int64_t size) const {
  constexpr std::int64_t kPiece = 4096;
  const std::int64_t all = (conv_.taps() + 1) * conv_.filters;
  const auto values = [&](std::int64_t chunk) {
    return chunk == 0 ? first : partial_ + (chunk - 1) * all + offset;
  };
  parallel_for(ceil_div(size, kPiece), [&](std::int64_t piece, int) {
    const std::int64_t begin = piece * kPiece, count = std::min(kPiece, size - begin);
    for (std::int64_t step = 1; step < chunks_; step *= 2) {
      for (std::int64_t chunk = 0; chunk + step < chunks_; chunk += 2 * step) {
        add_to(values(chunk) + begin, values(chunk + step) + begin, count);
      }
    }
  });
}

void DirectWeightGradient::join_chunks() const {
  if (chunks_ == 1) return;
  join_chunks(dw_, 0, conv_.weights());
  if (db_ != nullptr) join_chunks(db_, conv_.weights(), conv_.filters);
}

}  // namespace

void direct_backward_weights(const Conv2D& shapes, const float* dy, const float* y, const float* x,
                             float* dw, float* db, char* scratch) noexcept {
  const Conv2D conv = flattened(shapes);
  ScratchAllocator allocator(scratch);
  if (conv.y().size() == 0) {
    std::fill_n(dw, conv.weights(), 0.0F);
    if (db != nullptr) std::fill_n(db, conv.filters, 0.0F);
    return;
  }
  DirectWeightGradient sums(conv, dy, x, dw, db, y != nullptr, allocator);
  sums.copy_padded();
  const std::int64_t strips = sums.strips(), at_once = sums.chunks_at_once();
  for (std::int64_t chunk = 0; chunk < sums.chunks(); chunk += at_once) {
    if (y != nullptr) sums.copy_masked_dy(dy, y, {chunk, chunk + at_once});
    parallel_for(strips * at_once, [&](std::int64_t task, int worker) {
      sums.run(task % strips, chunk + task / strips, worker);
    });
  }
  sums.join_chunks();
}

std::size_t direct_backward_weights_scratch(const Conv2D& shapes, bool relu) {
  const Conv2D conv = flattened(shapes);
  ScratchAllocator counter(nullptr);
  const DirectWeightGradient sums(conv, nullptr, nullptr, nullptr, nullptr, relu, counter);
  return counter.bytes();
}

}  // namespace minicnn
