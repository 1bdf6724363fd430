#include "kernels/conv2d/winograd/forward.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "kernels/conv2d/sparse/micro.hpp"
#include "kernels/conv2d/winograd/winograd.hpp"

namespace minicnn {
namespace {

constexpr std::int64_t kSide = kWinogradOutputs;

// Returns whether y should bypass the caches: it does not fit into them until it is read again.
bool streams(const Conv2D& conv, const float* y) {
  return conv.y().size() * std::int64_t(sizeof(float)) > kCachedBytes &&
         conv.filters % kCacheLine == 0 && is_on_cache_line(y);
}

}  // namespace

bool winograd_fits(const Conv2D& conv) {
  const Window2D& win = conv.window;
  const bool square = win.kh == win.kw && (win.kh == 3 || win.kh == 5);
  return square && win.sy * win.sx * win.dy * win.dx == 1 && conv.groups == 1;
}

WinogradForward::WinogradForward(const Conv2D& conv, const SquareReader& reader, const float* u,
                                 const float* b, bool relu, const float* relu_mask, float* y,
                                 ScratchAllocator& allocator)
    : conv_(conv),
      b_(b),
      relu_(relu),
      relu_mask_(relu_mask),
      y_(y),
      stream_(streams(conv, y)),
      grid_{conv.x.n, conv.oh(), conv.ow()},
      transforms_(winograd_transforms(conv.window.kh)),
      products_(transforms_, grid_, reader, conv.window.top, conv.window.left, conv.filters, u,
                allocator),
      columns_(gemm_micro_kernel().columns),
      patches_(allocator.allocate<float>(max_workers() * kSide * kSide * columns_)) {}

// A tile that reaches beyond the image, or that has a relu_mask, is computed in a patch, from which
// the outputs inside the image are copied.
void WinogradForward::write(const TilePosition& at, std::int64_t filter, WinogradSquare& square,
                            float* patch) const {
  const auto [n, oh, ow, filters] = conv_.y();
  const std::int64_t first = ((at.n * oh + at.y) * ow + at.x) * filters + filter;
  float* y = y_ + first;
  const std::int64_t rows = std::min(kSide, oh - at.y), columns = std::min(kSide, ow - at.x);
  const bool inside = rows == kSide && columns == kSide && relu_mask_ == nullptr;
  square.to = inside ? y : patch;
  square.to_row = inside ? ow * filters : kSide * columns_;
  square.to_column = inside ? filters : columns_;
  square.stream = inside && stream_;
  if (!stream_) {
    for (std::int64_t j = 0; j < kSide; ++j) {
      prefetch<true>(y + (kSide + j) * filters, kSide, ow * filters, square.channels);
    }
  }
  transforms_.outputs(square);
  if (inside) return;
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t row = i * ow * filters;
    const float* relu_mask = relu_mask_ == nullptr ? nullptr : relu_mask_ + first + row;
    sparse_micro_kernel().copy({patch + i * kSide * columns_, columns_, y + row, filters, columns,
                                square.channels, relu_mask});
  }
}

void WinogradForward::run() const {
  parallel_for(products_.tasks(), [&](std::int64_t task, int worker) {
    auto [first, last, filter, columns, square] = products_.run(task, worker);
    square.bias = b_ == nullptr ? nullptr : b_ + filter;
    square.relu = relu_;
    for (std::int64_t tile = first; tile < last; ++tile, square.from += columns_) {
      write(grid_.position(tile), filter, square, patches_ + worker * kSide * kSide * columns_);
    }
    if (stream_) finish_streams();
  });
}

void winograd_forward(const Conv2D& conv, const float* x, const float* u, const float* b, bool relu,
                      float* y, char* scratch) noexcept {
  ScratchAllocator allocator(scratch);
  const SquareReader reader{conv.x, x, nullptr, winograd_transforms(conv.window.kh).points};
  WinogradForward(conv, reader, u, b, relu, nullptr, y, allocator).run();
}

std::size_t winograd_forward_scratch(const Conv2D& conv) {
  ScratchAllocator counter(nullptr);
  const SquareReader reader{conv.x, nullptr, nullptr, winograd_transforms(conv.window.kh).points};
  const WinogradForward forward(conv, reader, nullptr, nullptr, false, nullptr, nullptr, counter);
  return counter.bytes();
}

}  // namespace minicnn
