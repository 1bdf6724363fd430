#include "kernels/max_pool2d.hpp"

#include <algorithm>

#include "core/blocks.hpp"
#include "kernels/pool_window.hpp"
#include "kernels/simd_loops/simd_loops.hpp"

namespace minicnn {
void max_pool2d_forward(const float* x, const Shape4& xs, const Window2D& window, float* y,
                        std::int32_t* argmax) noexcept {
  const std::int64_t c = xs.c, oh = window.out_h(xs.h), ow = window.out_w(xs.w);
  const SimdLoops& simd = simd_loops();
  parallel_rows(xs.n * oh, std::min(window.kh, xs.h) * xs.w * c, [&](std::int64_t row, int) {
    const float* image = x + row / oh * xs.image();
    const std::int64_t y0 = row % oh * window.sy - window.top;
    const IndexRange rows = cells_inside(y0, window.kh, xs.h);
    for (std::int64_t ox = 0; ox < ow; ++ox) {
      const std::int64_t x0 = ox * window.sx - window.left;
      const IndexRange columns = cells_inside(x0, window.kw, xs.w);
      // Begins with the first cell inside the image, so that padding is never the maximum.
      const std::int64_t cell = (y0 + rows.begin) * xs.w + x0 + columns.begin;
      const auto cell_index = std::int32_t(rows.begin * window.kw + columns.begin);
      const std::int64_t output = (row * ow + ox) * c;
      simd.max_of_cells(
          {rows.size(), columns.size(), xs.w * c, c, cell_index, std::int32_t(window.kw)},
          image + cell * c, y + output, argmax + output);
    }
  });
}

// Each row of dx collects from the windows that cover it: so tasks write different rows, and no
// division is needed to find the pixel of an argmax.
void max_pool2d_backward(const float* dy, const std::int32_t* argmax, const Shape4& xs,
                         const Window2D& window, float* dx) noexcept {
  const std::int64_t c = xs.c, oh = window.out_h(xs.h), ow = window.out_w(xs.w);
  const SimdLoops& simd = simd_loops();
  parallel_rows(xs.n * xs.h, xs.w * c, [&](std::int64_t row, int) {
    const std::int64_t image = row / xs.h, padded_y = row % xs.h + window.top;
    float* dx_row = dx + row * xs.w * c;
    std::fill_n(dx_row, xs.w * c, 0.0F);
    const IndexRange windows = windows_over(padded_y, window.kh, window.sy, oh);
    for (std::int64_t oy = windows.begin; oy < windows.end; ++oy) {
      const std::int64_t ky = padded_y - oy * window.sy;
      for (std::int64_t ox = 0; ox < ow; ++ox) {
        const std::int64_t x0 = ox * window.sx - window.left;
        const std::int64_t output = ((image * oh + oy) * ow + ox) * c;
        const IndexRange columns = cells_inside(x0, window.kw, xs.w);
        const auto cell_index = std::int32_t(ky * window.kw + columns.begin);
        simd.add_at_argmax({1, columns.size(), 0, c, cell_index, 0}, dy + output, argmax + output,
                           dx_row + (x0 + columns.begin) * c);
      }
    }
  });
}

}  // namespace minicnn
