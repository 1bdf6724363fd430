#include "kernels/max_pool2d.hpp"

#include <algorithm>

#include "core/blocks.hpp"
#include "kernels/pool_window.hpp"

namespace minicnn {
namespace {

// Offers one cell, of C channels, to the running maxima. Branch-free, so that it vectorises.
void offer(const float* __restrict cell, std::int32_t position, std::int64_t c,
           float* __restrict best, std::int32_t* __restrict winner) {
  for (std::int64_t i = 0; i < c; ++i) {
    // Greater, or the first NaN.
    const bool wins = !(cell[i] <= best[i]) & (best[i] == best[i]);
    best[i] = wins ? cell[i] : best[i];
    winner[i] = wins ? position : winner[i];
  }
}

// Adds each gradient whose window's winner is `position`.
void collect(const float* __restrict dy, const std::int32_t* __restrict winner,
             std::int32_t position, std::int64_t c, float* __restrict dx) {
  for (std::int64_t i = 0; i < c; ++i) {
    const float gradient = dy[i], before = dx[i];
    dx[i] = before + (winner[i] == position ? gradient : 0.0F);
  }
}

}  // namespace

void max_pool2d_forward(const float* x, const Shape4& xs, const Window2D& window, float* y,
                        std::int32_t* winner) noexcept {
  const std::int64_t c = xs.c, oh = window.out_h(xs.h), ow = window.out_w(xs.w);
  parallel_rows(xs.n * oh, std::min(window.kh, xs.h) * xs.w * c, [&](std::int64_t row, int) {
    const float* image = x + row / oh * xs.image();
    const std::int64_t y0 = row % oh * window.sy - window.top;
    const Span rows = cells_inside(y0, window.kh, xs.h);
    for (std::int64_t ox = 0; ox < ow; ++ox) {
      const std::int64_t x0 = ox * window.sx - window.left;
      const Span columns = cells_inside(x0, window.kw, xs.w);
      float* best = y + (row * ow + ox) * c;
      std::int32_t* position = winner + (row * ow + ox) * c;
      // The first cell inside the image, so that padding never wins.
      std::copy_n(image + ((y0 + rows.begin) * xs.w + x0 + columns.begin) * c, c, best);
      std::fill_n(position, c, std::int32_t(rows.begin * window.kw + columns.begin));
      for (std::int64_t ky = rows.begin; ky < rows.end; ++ky) {
        for (std::int64_t kx = columns.begin; kx < columns.end; ++kx) {
          const float* cell = image + ((y0 + ky) * xs.w + x0 + kx) * c;
          offer(cell, std::int32_t(ky * window.kw + kx), c, best, position);
        }
      }
    }
  });
}

// Each row of dx gathers from the windows over it: rows do not collide, and no division is needed
// to find a winner's place.
void max_pool2d_backward(const float* dy, const std::int32_t* winner, const Shape4& xs,
                         const Window2D& window, float* dx) noexcept {
  const std::int64_t c = xs.c, oh = window.out_h(xs.h), ow = window.out_w(xs.w);
  parallel_rows(xs.n * xs.h, xs.w * c, [&](std::int64_t row, int) {
    const std::int64_t image = row / xs.h, padded_y = row % xs.h + window.top;
    float* dx_row = dx + row * xs.w * c;
    std::fill_n(dx_row, xs.w * c, 0.0F);
    const Span windows = windows_over(padded_y, window.kh, window.sy, oh);
    for (std::int64_t oy = windows.begin; oy < windows.end; ++oy) {
      const std::int64_t ky = padded_y - oy * window.sy;
      for (std::int64_t ox = 0; ox < ow; ++ox) {
        const std::int64_t x0 = ox * window.sx - window.left;
        const std::int64_t output = ((image * oh + oy) * ow + ox) * c;
        const Span columns = cells_inside(x0, window.kw, xs.w);
        for (std::int64_t kx = columns.begin; kx < columns.end; ++kx) {
          collect(dy + output, winner + output, std::int32_t(ky * window.kw + kx), c,
                  dx_row + (x0 + kx) * c);
        }
      }
    }
  });
}

}  // namespace minicnn
