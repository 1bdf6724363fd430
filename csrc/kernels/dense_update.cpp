#include "kernels/dense_update.hpp"

#include <algorithm>

#include "core/integers.hpp"
#include "core/parallel.hpp"
#include "core/scratch.hpp"
#include "kernels/gemm/product.hpp"

namespace minicnn {
namespace {

// The floats of the gradient that a task computes before it updates as many weights: at most what
// fits half of an L2 cache of 512 KB. Smaller pieces would read dy more often: 16384 cost LeNet's
// 800 x 500 weights 30 % (2 cores, AMD EPYC 9005, 2026-11).
constexpr std::int64_t kPieceFloats = 65536;
constexpr std::int64_t kEnoughPieces = 16;  // for an even share per thread

std::int64_t rows_of_piece(const Dense& dense, std::int64_t tile_rows) {
  const std::int64_t cached = kPieceFloats / dense.units / tile_rows;
  const std::int64_t shared = ceil_div(dense.inputs, kEnoughPieces * tile_rows);
  return std::max<std::int64_t>(1, std::min(cached, shared)) * tile_rows;
}

// Returns whether the sum over the samples is a single block of products, so that its order is that
// of dense_backward_weights.
bool fits(const Dense& dense) { return dense.n > 0 && dense.n <= kBlockProducts; }

// Computes the gradient of a few rows of w at a time; made once per call and used by all workers.
class GradientRows {
 public:
  GradientRows(const Dense& dense, const float* dy, const float* x, ScratchAllocator& allocator)
      : dense_(dense),
        dy_(dy),
        x_(x),
        rows_(rows_of_piece(dense, micro_.rows)),
        buffers_(allocator.allocate<float>(max_workers() * rows_ * dense.units)),
        segments_(allocator.allocate<Segment>(max_segments(dense.n, 1))),
        ends_(allocator.allocate<std::int64_t>(max_blocks(dense.n))) {
    BlockedSumWriter writer(segments_, ends_);
    if (segments_ != nullptr) writer.append(0, 0, dense.n, dense.inputs, dense.units);
    samples_ = writer.sum();
  }

  std::int64_t pieces() const { return ceil_div(dense_.inputs, rows_); }

  // Returns rows [first, first + count) of the gradient, valid until the worker's next piece.
  const float* run(std::int64_t first, std::int64_t count, int worker) const {
    float* dw = buffers_ + worker * rows_ * dense_.units;
    for (std::int64_t unit = 0; unit < dense_.units; unit += micro_.columns) {
      const MatrixProduct product{x_ + first, 1,       dense_.inputs, dy_ + unit,   dense_.units,
                                  samples_,   nullptr, dw + unit,     dense_.units, false};
      multiply_matrices(micro_, product, count,
                        std::min<std::int64_t>(micro_.columns, dense_.units - unit));
    }
    return dw;
  }

  std::int64_t rows() const { return rows_; }

 private:
  const MicroKernel& micro_ = gemm_micro_kernel();
  Dense dense_;
  const float *dy_, *x_;
  std::int64_t rows_;
  float* buffers_;  // (workers, rows_, units)
  Segment* segments_;
  std::int64_t* ends_;
  BlockedSum samples_;
};

}  // namespace

void dense_update(const Dense& d, const float* dy, const float* x, float* w,
                  const Optimizer& optimizer, char* scratch) noexcept {
  ScratchAllocator allocator(scratch);
  if (!fits(d)) {
    float* dw = allocator.allocate<float>(d.inputs * d.units);
    dense_backward_weights(d, dy, x, dw, nullptr, scratch + allocator.bytes());
    return update({w, dw, d.inputs * d.units}, optimizer);
  }
  const GradientRows gradient(d, dy, x, allocator);
  parallel_for(gradient.pieces(), [&](std::int64_t piece, int worker) {
    const std::int64_t first = piece * gradient.rows();
    const std::int64_t count = std::min(gradient.rows(), d.inputs - first);
    const float* dw = gradient.run(first, count, worker);
    update_part({w + first * d.units, dw, count * d.units}, first * d.units, optimizer);
  });
}

std::size_t dense_update_scratch(const Dense& dense) {
  ScratchAllocator counter(nullptr);
  if (fits(dense)) {
    GradientRows(dense, nullptr, nullptr, counter);
    return counter.bytes();
  }
  counter.allocate<float>(dense.inputs * dense.units);
  return counter.bytes() + dense_backward_weights_scratch(dense);
}

}  // namespace minicnn
