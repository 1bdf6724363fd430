#include "kernels/pad_concat.hpp"

#include <algorithm>

#include "core/blocks.hpp"

namespace minicnn {

void zero_pad2d_forward(const float* x, const Shape4& xs, const Border& border, float* y) noexcept {
  const Shape4 ys = border.around(xs);
  parallel_rows(ys.n * ys.h, ys.w * ys.c, [&](std::int64_t row, int) {
    const std::int64_t image = row / ys.h, iy = row % ys.h - border.top;
    float* out = y + row * ys.w * ys.c;
    if (iy < 0 || iy >= xs.h) {
      std::fill_n(out, ys.w * ys.c, 0.0F);
      return;
    }
    out = std::fill_n(out, border.left * ys.c, 0.0F);
    out = std::copy_n(x + (image * xs.h + iy) * xs.w * xs.c, xs.w * xs.c, out);
    std::fill_n(out, border.right * ys.c, 0.0F);
  });
}

void zero_pad2d_backward(const float* dy, const Shape4& xs, const Border& border,
                         float* dx) noexcept {
  const Shape4 ys = border.around(xs);
  parallel_rows(xs.n * xs.h, xs.w * xs.c, [&](std::int64_t row, int) {
    const std::int64_t padded_row = row / xs.h * ys.h + row % xs.h + border.top;
    const float* inside = dy + (padded_row * ys.w + border.left) * ys.c;
    std::copy_n(inside, xs.w * xs.c, dx + row * xs.w * xs.c);
  });
}

void concatenate_forward(const float* a, const float* b, const ConcatSizes& joint,
                         float* y) noexcept {
  const auto [outer, a_size, b_size] = joint;
  parallel_rows(outer, a_size + b_size,
                [=, a_size = a_size, b_size = b_size](std::int64_t row, int) {
                  float* out = y + row * (a_size + b_size);
                  out = std::copy_n(a + row * a_size, a_size, out);
                  std::copy_n(b + row * b_size, b_size, out);
                });
}

void concatenate_backward(const float* dy, const ConcatSizes& joint, float* da,
                          float* db) noexcept {
  const auto [outer, a_size, b_size] = joint;
  parallel_rows(outer, a_size + b_size,
                [=, a_size = a_size, b_size = b_size](std::int64_t row, int) {
                  const float* gradient = dy + row * (a_size + b_size);
                  std::copy_n(gradient, a_size, da + row * a_size);
                  std::copy_n(gradient + a_size, b_size, db + row * b_size);
                });
}

}  // namespace minicnn
