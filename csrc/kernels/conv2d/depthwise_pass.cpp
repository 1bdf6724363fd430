#include "kernels/conv2d/depthwise_pass.hpp"

namespace minicnn {

DepthwisePass::DepthwisePass(const Conv2D& conv, bool forward, ScratchAllocator& allocator)
    : shape_(forward ? conv.y() : conv.x), read_(forward ? conv.x : conv.y()) {
  const Window2D& win = conv.window;
  vertical_ = {shape_.h, win.kh, win.sy, win.dy, win.top, read_.h, forward};
  horizontal_ = {shape_.w, win.kw, win.sx, win.dx, win.left, read_.w, forward};
  spans_ = allocator.allocate<PositionSpan>(shape_.w);
  if (spans_ == nullptr) return;
  const std::int64_t step = horizontal_.step();
  for (std::int64_t start = 0; start < std::min(step, shape_.w); ++start) {
    for (std::int64_t at = start; at < shape_.w;) {
      PositionSpan span{at, 0};
      for (; at < shape_.w && horizontal_.same_cells(span.first, at); at += step) ++span.count;
      spans_[span_count_++] = span;
    }
  }
}

TapProducts::TapProducts(const Conv2D& conv, const DepthwisePass& pass, ScratchAllocator& allocator)
    : pass_(pass),
      size_(conv.weights()),
      chunks_(std::clamp<std::int64_t>(pass.rows() / rows_of_block(), 1, kMaxChunks)),
      totals_(allocator.allocate<double>(chunks_ * size_)),
      blocks_(allocator.allocate<float>(max_workers() * size_)) {}

void TapProducts::add_chunks(float* dw) const {
  parallel_rows(size_, chunks_, [&](std::int64_t i, int) {
    double sum = 0;
    for (std::int64_t chunk = 0; chunk < chunks_; ++chunk) sum += totals_[chunk * size_ + i];
    dw[i] = float(sum);
  });
}

}  // namespace minicnn
