#include "kernels/conv2d/direct/forward.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "core/streaming.hpp"

namespace minicnn {
namespace {

constexpr std::int64_t kPieceTiles = 4;    // 56 pixels with AVX-512, a whole row of most layers
constexpr std::int64_t kEnoughTasks = 64;  // enough for an even share per thread

// Returns whether y should bypass the caches: it does not fit into them, and no row of it is read
// again for a second block of products.
bool streams(const Conv2D& conv, const float* y) {
  return conv.y().size() * std::int64_t(sizeof(float)) > kCachedBytes &&
         conv.taps() <= kBlockProducts && conv.co() % kCacheLine == 0 && is_on_cache_line(y);
}

}  // namespace

std::int64_t forward_pieces(std::int64_t columns) {
  return std::max<std::int64_t>(1, ceil_div(columns, kPieceTiles * gemm_micro_kernel().rows));
}

ForwardRows::ForwardRows(const Conv2D& conv, std::int64_t columns, const float* x, const float* w,
                         const float* b, bool relu, bool stream, ScratchAllocator& allocator)
    : conv_(conv),
      x_(x),
      w_(w),
      b_(b),
      relu_(relu),
      stream_(stream),
      micro_(gemm_micro_kernel()),
      slice_(columns == 1 ? micro_.row_columns : micro_.columns),
      slices_per_group_(ceil_div(conv.co(), slice_)),
      patch_columns_(conv.columns_read(ceil_div(columns, forward_pieces(columns)))) {
  direct_ = sum_of_taps(conv.window.dy * conv.x.w * conv.x.c, allocator);
  patched_ = sum_of_taps(patch_columns_ * conv.x.c, allocator);
  const std::int64_t patch = conv.pads() ? conv.window.kh * patch_columns_ * conv.x.c : 0;
  patches_ = allocator.allocate<float>(max_workers() * patch);
}

// The segments of an output's sum, in the order of the weights: kernel rows, cells, channels.
BlockedSum ForwardRows::sum_of_taps(std::int64_t row_stride, ScratchAllocator& allocator) const {
  const std::int64_t count = conv_.window.kh * conv_.row_segments();
  Segment* segments = allocator.allocate<Segment>(max_segments(conv_.taps(), count));
  std::int64_t* ends = allocator.allocate<std::int64_t>(max_blocks(conv_.taps()));
  if (segments == nullptr) return {};
  BlockedSumWriter writer(segments, ends);
  for (std::int64_t s = 0; s < count; ++s) {
    const std::int64_t ky = s / conv_.row_segments(), kx = s % conv_.row_segments();
    writer.append(ky * row_stride + kx * conv_.window.dx * conv_.x.c,
                  s * conv_.segment_length() * conv_.filters, conv_.segment_length(), 1,
                  conv_.filters);
  }
  return writer.sum();
}

bool ForwardRows::inside(std::int64_t oy, std::int64_t ox, std::int64_t columns) const {
  const Window2D& win = conv_.window;
  const std::int64_t y = oy * win.sy - win.top, x = ox * win.sx - win.left;
  return y >= 0 && y + (win.kh - 1) * win.dy < conv_.x.h && x >= 0 &&
         x + conv_.columns_read(columns) <= conv_.x.w;
}

void ForwardRows::copy_rows(std::int64_t n, std::int64_t oy, std::int64_t ox, std::int64_t columns,
                            float* patch) const {
  const Window2D& win = conv_.window;
  const auto [images, h, w, c] = conv_.x;
  const std::int64_t left = ox * win.sx - win.left, seen = conv_.columns_read(columns);
  const std::int64_t from = std::clamp<std::int64_t>(-left, 0, seen);
  const std::int64_t to = std::clamp<std::int64_t>(w - left, from, seen);
  for (std::int64_t ky = 0; ky < win.kh; ++ky, patch += patch_columns_ * c) {
    const std::int64_t y = oy * win.sy - win.top + ky * win.dy;
    if (y < 0 || y >= h || from == to) {
      std::fill_n(patch, seen * c, 0.0F);
      continue;
    }
    const float* row = x_ + ((n * h + y) * w + left + from) * c;
    std::fill_n(patch, from * c, 0.0F);
    std::copy_n(row, (to - from) * c, patch + from * c);
    std::fill_n(patch + to * c, (seen - to) * c, 0.0F);
  }
}

void ForwardRows::run(std::int64_t n, std::int64_t oy, std::int64_t ox, std::int64_t columns,
                      std::int64_t first, std::int64_t last, float* out, int worker) const {
  const Window2D& win = conv_.window;
  const bool direct = inside(oy, ox, columns);
  const float* a;
  if (direct) {
    const std::int64_t y = oy * win.sy - win.top, x = ox * win.sx - win.left;
    a = x_ + ((n * conv_.x.h + y) * conv_.x.w + x) * conv_.x.c;
  } else {
    float* patch = patches_ + worker * win.kh * patch_columns_ * conv_.x.c;
    copy_rows(n, oy, ox, columns, patch);
    a = patch;
  }
  for (std::int64_t slice = first; slice < last; ++slice) {
    const std::int64_t group = slice / slices_per_group_;
    const std::int64_t in_group = slice % slices_per_group_ * slice_;
    const std::int64_t filter = group * conv_.co() + in_group;
    const MatrixProduct product{a + group * conv_.ci(),
                                win.sx * conv_.x.c,
                                1,
                                w_ + filter,
                                conv_.filters,
                                direct ? direct_ : patched_,
                                b_ == nullptr ? nullptr : b_ + filter,
                                out + filter,
                                conv_.filters,
                                false,
                                relu_,
                                stream_};
    multiply_matrices(micro_, product, columns, std::min(slice_, conv_.co() - in_group));
  }
}

// A task is a piece of an output row. If there are few of them, the slices are divided among tasks,
// too.
void direct_forward(const Conv2D& shapes, const float* x, const float* w, const float* b, bool relu,
                    float* y, char* scratch) noexcept {
  const Conv2D conv = flattened(shapes);
  ScratchAllocator allocator(scratch);
  const bool stream = streams(conv, y);
  const ForwardRows rows(conv, conv.ow(), x, w, b, relu, stream, allocator);
  const auto [n, oh, ow, filters] = conv.y();
  if (n * ow == 0) return;
  const std::int64_t pieces = forward_pieces(ow), positions = n * oh * pieces;
  const std::int64_t shares = std::min(rows.slices(), ceil_div(kEnoughTasks, positions));
  parallel_for(positions * shares, [&, oh = oh, ow = ow](std::int64_t task, int worker) {
    // Neighboring tasks use the same weights: with few positions, loading the weights dominates.
    const std::int64_t share = task / positions, position = task % positions;
    const std::int64_t row = position / pieces, piece = position % pieces;
    const std::int64_t begin = ow * piece / pieces, end = ow * (piece + 1) / pieces;
    rows.run(row / oh, row % oh, begin, end - begin, rows.slices() * share / shares,
             rows.slices() * (share + 1) / shares, y + (row * ow + begin) * conv.filters, worker);
    if (stream) finish_streams();
  });
}

std::size_t direct_forward_scratch(const Conv2D& shapes) {
  const Conv2D conv = flattened(shapes);
  ScratchAllocator counter(nullptr);
  const ForwardRows rows(conv, conv.ow(), nullptr, nullptr, nullptr, false, false, counter);
  return counter.bytes();
}

}  // namespace minicnn
