#include "kernels/average_pool2d.hpp"

#include <algorithm>

#include "core/blocks.hpp"
#include "kernels/pool_window.hpp"

namespace minicnn {

std::size_t average_pool2d_scratch(std::int64_t c) {
  return std::size_t(max_workers()) * std::size_t(c) * sizeof(double);
}

void average_pool2d_forward(const float* x, const Shape4& xs, const Window2D& window, float* y,
                            char* scratch) noexcept {
  const std::int64_t c = xs.c, oh = window.out_h(xs.h), ow = window.out_w(xs.w);
  parallel_rows(xs.n * oh, std::min(window.kh, xs.h) * xs.w * c, [&](std::int64_t row, int worker) {
    double* sums = reinterpret_cast<double*>(scratch) + worker * c;
    const float* image = x + row / oh * xs.image();
    const std::int64_t y0 = row % oh * window.sy - window.top;
    const IndexRange rows = cells_inside(y0, window.kh, xs.h);
    for (std::int64_t ox = 0; ox < ow; ++ox) {
      const std::int64_t x0 = ox * window.sx - window.left;
      const IndexRange columns = cells_inside(x0, window.kw, xs.w);
      std::fill_n(sums, c, 0.0);
      for (std::int64_t ky = rows.begin; ky < rows.end; ++ky) {
        for (std::int64_t kx = columns.begin; kx < columns.end; ++kx) {
          const float* cell = image + ((y0 + ky) * xs.w + x0 + kx) * c;
          for (std::int64_t i = 0; i < c; ++i) sums[i] += double(cell[i]);
        }
      }
      const double cells = double(rows.size() * columns.size());
      float* mean = y + (row * ow + ox) * c;
      for (std::int64_t i = 0; i < c; ++i) mean[i] = float(sums[i] / cells);
    }
  });
}

// Each row of dx collects from the windows that cover it, so tasks write different rows.
void average_pool2d_backward(const float* dy, const Shape4& xs, const Window2D& window,
                             float* dx) noexcept {
  const std::int64_t c = xs.c, oh = window.out_h(xs.h), ow = window.out_w(xs.w);
  parallel_rows(xs.n * xs.h, xs.w * c, [&](std::int64_t row, int) {
    const std::int64_t image = row / xs.h, padded_y = row % xs.h + window.top;
    float* dx_row = dx + row * xs.w * c;
    std::fill_n(dx_row, xs.w * c, 0.0F);
    const IndexRange windows = windows_over(padded_y, window.kh, window.sy, oh);
    for (std::int64_t oy = windows.begin; oy < windows.end; ++oy) {
      const IndexRange rows = cells_inside(oy * window.sy - window.top, window.kh, xs.h);
      for (std::int64_t ox = 0; ox < ow; ++ox) {
        const std::int64_t x0 = ox * window.sx - window.left;
        const IndexRange columns = cells_inside(x0, window.kw, xs.w);
        const float cells = float(rows.size() * columns.size());
        const float* gradient = dy + ((image * oh + oy) * ow + ox) * c;
        for (std::int64_t kx = columns.begin; kx < columns.end; ++kx) {
          float* cell = dx_row + (x0 + kx) * c;
          for (std::int64_t i = 0; i < c; ++i) cell[i] += gradient[i] / cells;
        }
      }
    }
  });
}

}  // namespace minicnn
