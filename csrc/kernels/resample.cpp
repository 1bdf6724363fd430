#include "kernels/resample.hpp"

#include <algorithm>

#include "core/blocks.hpp"

namespace minicnn {
namespace {

float* row_of(char* scratch, const Shape4& xs, int worker) {
  return reinterpret_cast<float*>(scratch) + std::int64_t(worker) * xs.w * xs.c;
}

std::int64_t at(const Taps& taps, std::int64_t i, std::int64_t k, std::int64_t n) {
  return std::clamp<std::int64_t>(taps.index[i * taps.taps + k], 0, n - 1);
}

float sum_of_weights(const Taps& taps, std::int64_t i) {
  float sum = 0;
  for (std::int64_t k = 0; k < taps.taps; ++k) sum += taps.weight[i * taps.taps + k];
  return sum;
}

}  // namespace

std::size_t resample_scratch(const Shape4& xs) {
  return std::size_t(max_workers()) * std::size_t(xs.w * xs.c) * sizeof(float);
}

// Rows are mixed first, so that the inner loop runs over all values of a row.
template <class T>
void resample_forward(const T* x, const Shape4& xs, const Resample& rule, float* y,
                      char* scratch) noexcept {
  const Taps &rows = rule.rows, &columns = rule.columns;
  const std::int64_t width = xs.w * xs.c, out_width = columns.outputs * xs.c;
  parallel_rows(xs.n * rows.outputs, rows.taps * width + columns.taps * out_width,
                [&](std::int64_t line, int worker) {
                  const std::int64_t n = line / rows.outputs, i = line % rows.outputs;
                  float* mixed = row_of(scratch, xs, worker);
                  std::fill_n(mixed, width, 0.0F);
                  for (std::int64_t k = 0; k < rows.taps; ++k) {
                    const float weight = rows.weight[i * rows.taps + k];
                    if (weight == 0) continue;
                    const T* from = x + (n * xs.h + at(rows, i, k, xs.h)) * width;
                    for (std::int64_t j = 0; j < width; ++j) mixed[j] += weight * float(from[j]);
                  }
                  float* out = y + line * out_width;
                  std::fill_n(out, out_width, 0.0F);
                  for (std::int64_t j = 0; j < columns.outputs; ++j) {
                    for (std::int64_t l = 0; l < columns.taps; ++l) {
                      const float weight = columns.weight[j * columns.taps + l];
                      if (weight == 0) continue;
                      const float* from = mixed + at(columns, j, l, xs.w) * xs.c;
                      for (std::int64_t c = 0; c < xs.c; ++c) out[j * xs.c + c] += weight * from[c];
                    }
                  }
                  if (rule.fill == 0) return;
                  const float share = sum_of_weights(rows, i);
                  for (std::int64_t j = 0; j < columns.outputs; ++j) {
                    const float missing = rule.fill * (1 - share * sum_of_weights(columns, j));
                    for (std::int64_t c = 0; c < xs.c; ++c) out[j * xs.c + c] += missing;
                  }
                });
}

template void resample_forward(const std::uint8_t*, const Shape4&, const Resample&, float*,
                               char*) noexcept;
template void resample_forward(const float*, const Shape4&, const Resample&, float*,
                               char*) noexcept;

// One task computes one image, since several rows of dy are added to one of dx.
void resample_backward(const float* dy, const Shape4& xs, const Resample& rule, float* dx,
                       char* scratch) noexcept {
  const Taps &rows = rule.rows, &columns = rule.columns;
  const std::int64_t width = xs.w * xs.c, out_width = columns.outputs * xs.c;
  parallel_for(xs.n, [&](std::int64_t n, int worker) {
    float* spread = row_of(scratch, xs, worker);
    float* to = dx + n * xs.h * width;
    std::fill_n(to, xs.h * width, 0.0F);
    for (std::int64_t i = 0; i < rows.outputs; ++i) {
      const float* gradient = dy + (n * rows.outputs + i) * out_width;
      std::fill_n(spread, width, 0.0F);
      for (std::int64_t j = 0; j < columns.outputs; ++j) {
        for (std::int64_t l = 0; l < columns.taps; ++l) {
          const float weight = columns.weight[j * columns.taps + l];
          if (weight == 0) continue;
          float* into = spread + at(columns, j, l, xs.w) * xs.c;
          for (std::int64_t c = 0; c < xs.c; ++c) into[c] += weight * gradient[j * xs.c + c];
        }
      }
      for (std::int64_t k = 0; k < rows.taps; ++k) {
        const float weight = rows.weight[i * rows.taps + k];
        if (weight == 0) continue;
        float* into = to + at(rows, i, k, xs.h) * width;
        for (std::int64_t j = 0; j < width; ++j) into[j] += weight * spread[j];
      }
    }
  });
}

}  // namespace minicnn
