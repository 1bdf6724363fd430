#include "kernels/dense.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "core/scratch.hpp"
#include "kernels/conv2d/direct/backward_weights.hpp"
#include "kernels/conv2d/direct/forward.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/gemm/product.hpp"
#include "kernels/gemm/transpose.hpp"

namespace minicnn {
namespace {

// The batch as a row of pixels, each of which is a window.
Conv2D as_conv2d(const Dense& d) {
  return {{1, 1, d.n, d.inputs}, {1, 1, 1, 1, 1, 1, 0, 0, 0, 0}, 1, d.units};
}

// dx^T (inputs, N) = w dy^T: the rows of a tile are inputs and its columns samples. So the weights
// are read in place, and only dy and dx, which are small, are transposed.
struct InputGradient {
  InputGradient(const Dense& d, ScratchAllocator& allocator)
      : transposed_dy(allocator.allocate<float>(d.units * d.n)),
        transposed_dx(allocator.allocate<float>(d.inputs * d.n)),
        segments(allocator.allocate<Segment>(max_segments(d.units, 1))),
        ends(allocator.allocate<std::int64_t>(max_blocks(d.units))) {}

  float *transposed_dy, *transposed_dx;  // (units, N), (inputs, N)
  Segment* segments;
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
  const MicroKernel& micro = gemm_micro_kernel();
  ScratchAllocator allocator(scratch);
  const InputGradient transposed(d, allocator);
  transpose(dy, d.units, d.n, d.units, transposed.transposed_dy, d.n);
  BlockedSumWriter writer(transposed.segments, transposed.ends);
  writer.append(0, 0, d.units, 1, d.n);
  const BlockedSum sum = writer.sum();
  const std::int64_t pieces = ceil_div(d.inputs, kPieceTiles * micro.rows);
  parallel_for(pieces, [&](std::int64_t piece, int) {
    const std::int64_t first = d.inputs * piece / pieces;
    const std::int64_t rows = d.inputs * (piece + 1) / pieces - first;
    float* out = transposed.transposed_dx + first * d.n;
    for (std::int64_t n = 0; n < d.n; n += micro.columns) {
      const MatrixProduct product{w + first * d.units,
                                  d.units,
                                  1,
                                  transposed.transposed_dy + n,
                                  d.n,
                                  sum,
                                  nullptr,
                                  out + n,
                                  d.n,
                                  false};
      multiply_matrices(micro, product, rows, std::min<std::int64_t>(micro.columns, d.n - n));
    }
    transpose(out, d.n, rows, d.n, dx + first, d.inputs);
  });
}

std::size_t dense_backward_input_scratch(const Dense& dense) {
  ScratchAllocator counter(nullptr);
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
