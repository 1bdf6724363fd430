#include <algorithm>

#include "core/parallel.hpp"
#include "kernels/conv2d/backward_input.hpp"
#include "kernels/conv2d/backward_weights.hpp"
#include "kernels/conv2d/carver.hpp"
#include "kernels/conv2d/pooled.hpp"

// Each number of dy goes to its window's winner, in a gradient of the convolution's whole output
// that is zero elsewhere; then the convolution's own gradients follow.

namespace minicnn {
namespace {

void scatter_image(const PooledConv2D& op, const float* dy, const float* y,
                   const std::uint8_t* winner, float* dz) {
  const auto [n, ph, pw, filters] = op.y();
  const std::int64_t oh = op.conv.oh(), ow = op.conv.ow();
  const Window2D& win = op.pool;
  std::fill_n(dz, oh * ow * filters, 0.0F);
  for (std::int64_t py = 0; py < ph; ++py) {
    for (std::int64_t px = 0; px < pw; ++px) {
      const std::int64_t y0 = py * win.sy - win.top, x0 = px * win.sx - win.left;
      const std::int64_t first = (py * pw + px) * filters;
      for (std::int64_t f = 0; f < filters; ++f) {
        if (op.relu && !(y[first + f] > 0)) continue;
        const std::int64_t oy = y0 + winner[first + f] / win.kw;
        const std::int64_t ox = x0 + winner[first + f] % win.kw;
        if (oy < 0 || oy >= oh || ox < 0 || ox >= ow) continue;
        dz[(oy * ow + ox) * filters + f] += dy[first + f];
      }
    }
  }
}

void scatter(const PooledConv2D& op, const float* dy, const float* y, const std::uint8_t* winner,
             float* dz) {
  const std::int64_t image = op.y().image(), dz_image = op.conv.y().image();
  parallel_for(op.conv.x.n, [&](std::int64_t n, int) {
    scatter_image(op, dy + n * image, y + n * image, winner + n * image, dz + n * dz_image);
  });
}

}  // namespace

void conv2d_max_pool2d_backward_input(const PooledConv2D& op, const float* dy, const float* y,
                                      const std::uint8_t* winner, const float* w, float* dx,
                                      char* scratch) noexcept {
  Carver carver(scratch);
  float* dz = carver.take<float>(op.conv.y().size());
  scatter(op, dy, y, winner, dz);
  conv2d_backward_input(op.conv, dz, w, dx, scratch + carver.bytes());
}

std::size_t conv2d_max_pool2d_backward_input_scratch(const PooledConv2D& op) {
  Carver counter(nullptr);
  counter.take<float>(op.conv.y().size());
  return counter.bytes() + conv2d_backward_input_scratch(op.conv);
}

void conv2d_max_pool2d_backward_weights(const PooledConv2D& op, const float* dy, const float* y,
                                        const std::uint8_t* winner, const float* x, float* dw,
                                        float* db, char* scratch) noexcept {
  Carver carver(scratch);
  float* dz = carver.take<float>(op.conv.y().size());
  scatter(op, dy, y, winner, dz);
  conv2d_backward_weights(op.conv, dz, x, dw, db, scratch + carver.bytes());
}

std::size_t conv2d_max_pool2d_backward_weights_scratch(const PooledConv2D& op) {
  Carver counter(nullptr);
  counter.take<float>(op.conv.y().size());
  return counter.bytes() + conv2d_backward_weights_scratch(op.conv);
}

}  // namespace minicnn
