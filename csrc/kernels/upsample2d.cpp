#include "kernels/upsample2d.hpp"

#include <algorithm>
#include <cmath>

#include "core/blocks.hpp"

namespace minicnn {
namespace {

// The two pixels between which an output lies along one axis, and how near it is to the second.
struct Neighbors {
  std::int64_t first, second;
  float part;

  float weight(std::int64_t pixel) const {
    return (pixel == first ? 1.0F - part : 0.0F) + (pixel == second ? part : 0.0F);
  }
};

Neighbors neighbors(std::int64_t out, std::int64_t scale, std::int64_t length) {
  const double at = (double(out) + 0.5) / double(scale) - 0.5, below = std::floor(at);
  const auto pixel = std::int64_t(below);
  return {std::max<std::int64_t>(pixel, 0), std::min(pixel + 1, length - 1), float(at - below)};
}

// The outputs that may depend on this pixel.
IndexRange outputs_of(std::int64_t pixel, std::int64_t scale, std::int64_t length) {
  return {std::max<std::int64_t>(pixel - 1, 0) * scale, std::min(pixel + 2, length) * scale};
}

void repeated_row(const float* in, const Shape4& xs, std::int64_t columns, float* out) {
  for (std::int64_t i = 0; i < xs.w; ++i, in += xs.c) {
    for (std::int64_t k = 0; k < columns; ++k) out = std::copy_n(in, xs.c, out);
  }
}

void nearest_forward(const float* x, const Shape4& xs, const Upsampling& scale, float* y) {
  const std::int64_t row_size = xs.w * xs.c, out_size = row_size * scale.columns;
  parallel_rows(xs.n * xs.h, out_size * scale.rows, [&](std::int64_t row, int) {
    float* out = y + row * scale.rows * out_size;
    repeated_row(x + row * row_size, xs, scale.columns, out);
    for (std::int64_t k = 1; k < scale.rows; ++k) std::copy_n(out, out_size, out + k * out_size);
  });
}

void bilinear_forward(const float* x, const Shape4& xs, const Upsampling& scale, float* y) {
  const std::int64_t oh = xs.h * scale.rows, ow = xs.w * scale.columns, c = xs.c;
  parallel_rows(xs.n * oh, ow * c, [&](std::int64_t row, int) {
    const Neighbors v = neighbors(row % oh, scale.rows, xs.h);
    const float* image = x + row / oh * xs.image();
    const float *above = image + v.first * xs.w * c, *below = image + v.second * xs.w * c;
    float* out = y + row * ow * c;
    for (std::int64_t ox = 0; ox < ow; ++ox, out += c) {
      const Neighbors u = neighbors(ox, scale.columns, xs.w);
      const float *a = above + u.first * c, *b = above + u.second * c;
      const float *d = below + u.first * c, *e = below + u.second * c;
      for (std::int64_t i = 0; i < c; ++i) {
        const float top = (1.0F - u.part) * a[i] + u.part * b[i];
        const float bottom = (1.0F - u.part) * d[i] + u.part * e[i];
        out[i] = (1.0F - v.part) * top + v.part * bottom;
      }
    }
  });
}

// Adds weight * dy of the outputs in one row to a row of dx.
void collect_row(const float* dy, const Shape4& xs, const Upsampling& scale, float weight,
                 float* dx) {
  const std::int64_t c = xs.c;
  for (std::int64_t ix = 0; ix < xs.w; ++ix, dx += c) {
    const IndexRange outputs = outputs_of(ix, scale.columns, xs.w);
    for (std::int64_t ox = outputs.begin; ox < outputs.end; ++ox) {
      const float part = weight * neighbors(ox, scale.columns, xs.w).weight(ix);
      const float* gradient = dy + ox * c;
      for (std::int64_t i = 0; i < c && part != 0.0F; ++i) dx[i] += part * gradient[i];
    }
  }
}

void sum_row(const float* dy, const Shape4& xs, std::int64_t columns, float* dx) {
  for (std::int64_t ix = 0; ix < xs.w; ++ix, dx += xs.c) {
    for (std::int64_t k = 0; k < columns; ++k, dy += xs.c) {
      for (std::int64_t i = 0; i < xs.c; ++i) dx[i] += dy[i];
    }
  }
}

}  // namespace

void upsample2d_forward(const float* x, const Shape4& xs, const Upsampling& scale,
                        float* y) noexcept {
  if (scale.bilinear) {
    bilinear_forward(x, xs, scale, y);
  } else {
    nearest_forward(x, xs, scale, y);
  }
}

// Each row of dx collects from the outputs that depend on it, so tasks write different rows.
void upsample2d_backward(const float* dy, const Shape4& xs, const Upsampling& scale,
                         float* dx) noexcept {
  const std::int64_t oh = xs.h * scale.rows, out_size = xs.w * scale.columns * xs.c;
  parallel_rows(xs.n * xs.h, out_size * scale.rows, [&](std::int64_t row, int) {
    const std::int64_t iy = row % xs.h;
    const float* image = dy + row / xs.h * oh * out_size;
    float* dx_row = dx + row * xs.w * xs.c;
    std::fill_n(dx_row, xs.w * xs.c, 0.0F);
    const IndexRange outputs = scale.bilinear ? outputs_of(iy, scale.rows, xs.h)
                                              : IndexRange{iy * scale.rows, (iy + 1) * scale.rows};
    for (std::int64_t oy = outputs.begin; oy < outputs.end; ++oy) {
      const float* gradient = image + oy * out_size;
      if (!scale.bilinear) {
        sum_row(gradient, xs, scale.columns, dx_row);
        continue;
      }
      const float weight = neighbors(oy, scale.rows, xs.h).weight(iy);
      if (weight != 0.0F) collect_row(gradient, xs, scale, weight, dx_row);
    }
  });
}

}  // namespace minicnn
