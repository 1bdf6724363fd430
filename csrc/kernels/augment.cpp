#include "kernels/augment.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/parallel.hpp"
#include "kernels/simd_loops/simd_loops.hpp"

namespace minicnn {
namespace {

// Up to here float32 counts pixels exactly; farther away everything looks as it does there.
constexpr float kMaxCoordinate = 1 << 24;

// The values 0 to 255. Looking them up takes a fifth less time for a whole image than converting.
constexpr std::array<float, 256> kPixelValues = [] {
  std::array<float, 256> values{};
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = float(i);
  return values;
}();

float pixel_value(std::uint8_t pixel) { return kPixelValues[pixel]; }
float pixel_value(float pixel) { return pixel; }

template <class T>
struct ImageView {
  const T* pixels;
  std::int64_t h, w, c;
  const T* at(std::int64_t row, std::int64_t column) const {
    return pixels + (row * w + column) * c;
  }
};

// Where the pixels of an output row are read in the image: u = u0 + du * j, v = v0 + dv * j.
struct AffineLine {
  float u0, du, v0, dv;
  float u(float j) const { return u0 + du * j; }
  float v(float j) const { return v0 + dv * j; }
};

// The same with perspective: both are divided by w = w0 + dw * j, or NaN if w is not positive.
struct PerspectiveLine {
  AffineLine numerators;
  float w0, dw;
  float w(float j) const {
    const float w = w0 + dw * j;
    return w > 0 ? w : std::numeric_limits<float>::quiet_NaN();
  }
  float u(float j) const { return numerators.u(j) / w(j); }
  float v(float j) const { return numerators.v(j) / w(j); }
};

AffineLine affine_line(const float* m, float i) {
  return {m[0] * i + m[2], m[1], m[3] * i + m[5], m[4]};
}

PerspectiveLine perspective_line(const float* m, float i) {
  return {affine_line(m, i), m[6] * i + m[8], m[7]};
}

// The four pixels around a point, and its distance from the first of them, down and to the right.
template <class T>
struct Corners {
  const T *here, *right, *below, *diagonal;
  float down, across;
};

// Limits a coordinate to +-kMaxCoordinate. NaN becomes -kMaxCoordinate, since its comparison is
// false.
float bounded(float u) {
  return u > -kMaxCoordinate ? std::min(u, kMaxCoordinate) : -kMaxCoordinate;
}

std::int64_t index_inside(std::int64_t k, std::int64_t n, Fill fill) {
  if (fill == Fill::wrap) return (k % n + n) % n;
  if (fill != Fill::reflect) return std::clamp<std::int64_t>(k, 0, n - 1);
  const std::int64_t m = (k % (2 * n) + 2 * n) % (2 * n);
  return std::min(m, 2 * n - 1 - m);
}

// The corners of a point that may lie anywhere.
template <class T>
Corners<T> corners_anywhere(const ImageView<T>& x, float u, float v, Fill fill) {
  const float top = std::floor(u), left = std::floor(v);
  const auto row = std::int64_t(top), column = std::int64_t(left);
  const std::int64_t r0 = index_inside(row, x.h, fill), r1 = index_inside(row + 1, x.h, fill);
  const std::int64_t c0 = index_inside(column, x.w, fill), c1 = index_inside(column + 1, x.w, fill);
  return {x.at(r0, c0), x.at(r0, c1), x.at(r1, c0), x.at(r1, c1), u - top, v - left};
}

// The corners of a point with coordinates of at least 0 and less than the last row and column.
template <class T>
Corners<T> corners_inside(const ImageView<T>& x, float u, float v) {
  const auto row = std::int32_t(u), column = std::int32_t(v);
  const T* here = x.at(row, column);
  const T* below = here + x.w * x.c;
  return {here, here + x.c, below, below + x.c, u - float(row), v - float(column)};
}

template <class T>
void mix(const Corners<T>& from, std::int64_t channels, float scale, float* y) {
  for (std::int64_t c = 0; c < channels; ++c) {
    const float here = pixel_value(from.here[c]), below = pixel_value(from.below[c]);
    const float upper = here + (pixel_value(from.right[c]) - here) * from.across;
    const float lower = below + (pixel_value(from.diagonal[c]) - below) * from.across;
    y[c] = (upper + (lower - upper) * from.down) * scale;
  }
}

// Not inlined, so that the loop over the pixels keeps its values in registers.
template <class T>
[[gnu::noinline]] void mix_anywhere(const ImageView<T>& x, float u, float v, const Augment& rule,
                                    float* y) {
  if (!rule.smooth) {
    u = std::floor(u + 0.5F);
    v = std::floor(v + 0.5F);
  }
  mix(corners_anywhere(x, bounded(u), bounded(v), rule.fill), x.c, rule.scale, y);
}

// Computes the pixels [begin, end) of a row one by one; y is the row's first. The arguments are
// values: the compiler would read references again after every pixel that is written.
template <class T, class Line>
void mix_columns(ImageView<T> x, Line line, Augment rule, std::int64_t begin, std::int64_t end,
                 float* y) {
  const auto last_row = float(x.h - 1), last_column = float(x.w - 1);
  for (std::int64_t j = begin; j < end; ++j) {
    const float u = line.u(float(j)), v = line.v(float(j));
    float* out = y + j * x.c;
    if (rule.smooth && u >= 0 && u < last_row && v >= 0 && v < last_column) {
      mix(corners_inside(x, u, v), x.c, rule.scale, out);
    } else if (rule.fill != Fill::constant ||
               (u >= 0 && u <= last_row && v >= 0 && v <= last_column)) {
      mix_anywhere(x, u, v, rule, out);
    } else {
      std::fill_n(out, x.c, rule.outside * rule.scale);
    }
  }
}

// --- three channels, bilinear: the usual case, in spans of pixels that are all inside -----------

constexpr std::int64_t kSpanPixels = 16;

// The points of a span: the first value of the pixel at the upper left of each, and the distance
// from that pixel, down and to the right.
struct SpanPoints {
  std::int32_t offset[kSpanPixels];
  float down[kSpanPixels], across[kSpanPixels];

  void set(std::int32_t k, float u, float v, std::int32_t width) {
    const auto row = std::int32_t(u), column = std::int32_t(v);
    offset[k] = 3 * (row * width + column);
    down[k] = u - float(row);
    across[k] = v - float(column);
  }
};

// Returns whether all points of a span lie inside: points move in one direction along a row, even
// when rounded, so both ends of the span are enough.
template <class T>
bool is_inside(const ImageView<T>& x, float u0, float u1, float v0, float v1) {
  const auto last_row = float(x.h - 1), last_column = float(x.w - 1);
  const bool inside = u0 >= 0 && u1 >= 0 && v0 >= 0 && v1 >= 0 && u0 < last_row && u1 < last_row &&
                      v0 < last_column && v1 < last_column;
  // One value after the last pixel is read with it, but the image ends there.
  return inside && (std::max(u0, u1) < last_row - 1 || std::max(v0, v1) < last_column - 1);
}

// Finds the points of the pixels [begin, end) of a row; returns false if one is not inside.
template <class T>
bool find_points(const ImageView<T>& x, AffineLine line, std::int64_t begin, std::int64_t end,
                 SpanPoints& points) {
  const auto left = float(begin), right = float(end - 1);
  if (!is_inside(x, line.u(left), line.u(right), line.v(left), line.v(right))) return false;
  const auto w = std::int32_t(x.w), first = std::int32_t(begin), count = std::int32_t(end - begin);
  for (std::int32_t k = 0; k < count; ++k) {
    points.set(k, line.u(float(first + k)), line.v(float(first + k)), w);
  }
  return true;
}

// With perspective every point is checked: rounded quotients need not move in one direction.
template <class T>
bool find_points(const ImageView<T>& x, PerspectiveLine line, std::int64_t begin, std::int64_t end,
                 SpanPoints& points) {
  const auto last_row = float(x.h - 1), last_column = float(x.w - 1);
  const auto w = std::int32_t(x.w), first = std::int32_t(begin), count = std::int32_t(end - begin);
  float u[kSpanPixels], v[kSpanPixels];
  bool inside = true;
  for (std::int32_t k = 0; k < count; ++k) {
    u[k] = line.u(float(first + k));
    v[k] = line.v(float(first + k));
    // As in `is_inside`, but without branches: the compiler then computes several points at once.
    inside &= (u[k] >= 0) & (u[k] < last_row) & (v[k] >= 0) & (v[k] < last_column) &
              ((u[k] < last_row - 1) | (v[k] < last_column - 1));
  }
  for (std::int32_t k = 0; inside && k < count; ++k) points.set(k, u[k], v[k], w);
  return inside;
}

void mix_points(const SamplePoints& points, const std::uint8_t* x, float scale, float* y) {
  simd_loops().mix_pixels(points, x, scale, y);
}

void mix_points(const SamplePoints& points, const float* x, float scale, float* y) {
  simd_loops().mix_floats(points, x, scale, y);
}

template <class T, class Line>
void mix_spans(const ImageView<T>& x, const Line& line, const Augment& rule, float* y) {
  SpanPoints points;
  for (std::int64_t begin = 0; begin < x.w; begin += kSpanPixels) {
    const std::int64_t end = std::min(begin + kSpanPixels, x.w);
    if (find_points(x, line, begin, end, points)) {
      const auto count = std::int32_t(end - begin);
      mix_points({count, 3 * x.w, points.offset, points.down, points.across}, x.pixels, rule.scale,
                 y + 3 * begin);
    } else {
      mix_columns(x, line, rule, begin, end, y);
    }
  }
}

// Returns whether spans can be used; their offsets have 32 bits.
template <class T>
bool has_spans(const ImageView<T>& x, const Augment& rule) {
  return rule.smooth && x.c == 3 && x.h <= std::numeric_limits<std::int32_t>::max() / x.w / 3;
}

// Computes an image; `line_of` returns where the pixels of row i are read.
template <class T, class LineOfRow>
void mix_rows(const ImageView<T>& x, const Augment& rule, LineOfRow line_of, float* y) {
  const bool spans = has_spans(x, rule);
  for (std::int64_t i = 0; i < x.h; ++i) {
    const auto line = line_of(float(i));
    float* row = y + i * x.w * x.c;
    if (spans) {
      mix_spans(x, line, rule, row);
    } else {
      mix_columns(x, line, rule, 0, x.w, row);
    }
  }
}

bool has_perspective(const float* m) { return m[6] != 0 || m[7] != 0 || m[8] != 1; }

}  // namespace

template <class T>
void augment(const T* x, const Shape4& xs, const float* m, std::int64_t values, const Augment& rule,
             float* y) noexcept {
  parallel_for(xs.n, [&](std::int64_t n, int) {
    const ImageView<T> image{x + n * xs.image(), xs.h, xs.w, xs.c};
    const float* a = m + values * n;
    float* out = y + n * xs.image();
    if (values == 9 && has_perspective(a)) {
      mix_rows(image, rule, [a](float i) { return perspective_line(a, i); }, out);
    } else {
      mix_rows(image, rule, [a](float i) { return affine_line(a, i); }, out);
    }
  });
}

template void augment(const std::uint8_t*, const Shape4&, const float*, std::int64_t,
                      const Augment&, float*) noexcept;
template void augment(const float*, const Shape4&, const float*, std::int64_t, const Augment&,
                      float*) noexcept;

}  // namespace minicnn
