#include "kernels/dense.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "kernels/conv2d/carver.hpp"
#include "kernels/conv2d/direct_backward_weights.hpp"
#include "kernels/conv2d/direct_forward.hpp"
#include "kernels/conv2d/product.hpp"
#include "kernels/conv2d/transpose.hpp"
#include "kernels/elementwise.hpp"

namespace minicnn {
namespace {

// The batch as a row of pixels, each its own window.
Conv2D as_conv2d(const Dense& d) {
  return {{1, 1, d.n, d.inputs}, {1, 1, 1, 1, 1, 1, 0, 0, 0, 0}, 1, d.units};
}

// dx^T (inputs, N) = w dy^T: a tile's rows are inputs and its columns samples, so the weights are
// read as they lie and only the small sides, dy and dx, are transposed.
struct InputGradient {
  InputGradient(const Dense& d, Carver& carver)
      : turned_dy(carver.take<float>(d.units * d.n)),
        turned_dx(carver.take<float>(d.inputs * d.n)),
        runs(carver.take<Run>(most_runs(d.units, 1))),
        ends(carver.take<std::int64_t>(most_blocks(d.units))) {}

  float *turned_dy, *turned_dx;  // (units, N), (inputs, N)
  Run* runs;
  std::int64_t* ends;
};

}  // namespace

void dense_forward(const Dense& dense, const float* x, const float* w, const float* b, float* y,
                   char* scratch) noexcept {
  direct_forward(as_conv2d(dense), x, w, b, false, y, scratch);
}

std::size_t dense_forward_scratch(const Dense& dense) {
  return direct_forward_scratch(as_conv2d(dense));
}

void dense_backward_input(const Dense& d, const float* dy, const float* w, float* dx,
                          char* scratch) noexcept {
  constexpr std::int64_t kPieceTiles = 4;
  if (d.n == 0) return;
  const Micro& micro = conv2d_micro();
  Carver carver(scratch);
  const InputGradient turned(d, carver);
  transpose(dy, d.units, d.n, d.units, turned.turned_dy, d.n);
  SumWriter writer(turned.runs, turned.ends);
  writer.append(0, 0, d.units, 1, d.n);
  const Sum sum = writer.sum();
  const std::int64_t pieces = ceil_div(d.inputs, kPieceTiles * micro.rows);
  parallel_for(pieces, [&](std::int64_t piece, int) {
    const std::int64_t first = d.inputs * piece / pieces;
    const std::int64_t rows = d.inputs * (piece + 1) / pieces - first;
    float* out = turned.turned_dx + first * d.n;
    for (std::int64_t n = 0; n < d.n; n += micro.columns) {
      const Product product{w + first * d.units,
                            d.units,
                            1,
                            turned.turned_dy + n,
                            d.n,
                            sum,
                            nullptr,
                            out + n,
                            d.n,
                            false};
      multiply(micro, product, rows, std::min<std::int64_t>(micro.columns, d.n - n));
    }
    transpose(out, d.n, rows, d.n, dx + first, d.inputs);
  });
}

std::size_t dense_backward_input_scratch(const Dense& dense) {
  Carver counter(nullptr);
  InputGradient(dense, counter);
  return counter.bytes();
}

void dense_backward_weights(const Dense& dense, const float* dy, const float* x, float* dw,
                            float* db, char* scratch) noexcept {
  direct_backward_weights(as_conv2d(dense), dy, nullptr, x, dw, nullptr, scratch);
  if (db != nullptr) bias_backward_bias(dy, dense.n, dense.units, db, scratch);
}

std::size_t dense_backward_weights_scratch(const Dense& dense) {
  return std::max(direct_backward_weights_scratch(as_conv2d(dense), false),
                  bias_scratch(dense.n, dense.units));
}

}  // namespace minicnn
