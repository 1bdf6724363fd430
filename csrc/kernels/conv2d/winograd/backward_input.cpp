#include "core/parallel.hpp"
#include "kernels/conv2d/winograd/forward.hpp"
#include "kernels/conv2d/winograd/winograd.hpp"
#include "kernels/gemm/transpose.hpp"

// dx is a convolution of dy: the kernel is rotated by 180 degrees, channels and filters are
// exchanged, and the padding is such that the result has the size of dx.

namespace minicnn {
namespace {

Conv2D rotated_conv2d(const Conv2D& conv) {
  const Window2D& win = conv.window;
  const std::int64_t h = win.kh - 1, w = win.kw - 1;
  // A negative padding, where the convolution pads more than its kernel reaches, crops dy.
  const Window2D window{win.kh,       win.kw,       1, 1, 1, 1, h - win.top, h - win.bottom,
                        w - win.left, w - win.right};
  return {conv.y(), window, 1, conv.x.c};
}

// w (KH, KW, C, filters) to (KH, KW, both reversed, filters, C).
void rotate_weights(const Conv2D& conv, const float* w, float* to) {
  const std::int64_t cells = conv.window.kh * conv.window.kw, size = conv.x.c * conv.filters;
  parallel_for(cells, [&](std::int64_t cell, int) {
    transpose(w + cell * size, conv.filters, conv.x.c, conv.filters, to + (cells - 1 - cell) * size,
              conv.x.c);
  });
}

struct BackwardInput {
  BackwardInput(const Conv2D& shapes, const float* dy, const float* y, const float* x, float* dx,
                ScratchAllocator& allocator)
      : conv(rotated_conv2d(shapes)),
        w(allocator.allocate<float>(conv.weights())),
        u(allocator.allocate<float>(winograd_weights_size(conv))),
        forward(conv, {conv.x, dy, y, winograd_transforms(conv.window.kh).points}, u, nullptr,
                false, x, dx, allocator) {}

  Conv2D conv;
  float *w, *u;  // rotated; rotated and transformed
  WinogradForward forward;
};

}  // namespace

void winograd_backward_input(const Conv2D& conv, const float* dy, const float* y, const float* w,
                             const float* x, float* dx, char* scratch) noexcept {
  ScratchAllocator allocator(scratch);
  const BackwardInput backward(conv, dy, y, x, dx, allocator);
  rotate_weights(conv, w, backward.w);
  winograd_transform_weights(backward.conv, backward.w, backward.u);
  backward.forward.run();
}

std::size_t winograd_backward_input_scratch(const Conv2D& conv) {
  ScratchAllocator counter(nullptr);
  const BackwardInput backward(conv, nullptr, nullptr, nullptr, nullptr, counter);
  return counter.bytes();
}

}  // namespace minicnn
