#include "kernels/dense_update.hpp"

#include <algorithm>

#include "core/parallel.hpp"
#include "kernels/conv2d/carver.hpp"
#include "kernels/conv2d/geometry.hpp"
#include "kernels/conv2d/product.hpp"

namespace minicnn {
namespace {

// Floats of the gradient that a task computes before it updates as many weights: at most what
// stays in half of a core's second cache of 512 KB. Fewer would fetch dy more often: 16384 cost
// LeNet's 800 x 500 weights 30 % (2 cores, AMD EPYC 9005, 2026-11).
constexpr std::int64_t kPieceFloats = 65536;
constexpr std::int64_t kEnoughPieces = 16;  // for the threads to share

std::int64_t rows_of_piece(const Dense& dense, std::int64_t tile_rows) {
  const std::int64_t cached = kPieceFloats / dense.units / tile_rows;
  const std::int64_t shared = ceil_div(dense.inputs, kEnoughPieces * tile_rows);
  return std::max<std::int64_t>(1, std::min(cached, shared)) * tile_rows;
}

// One sum over all samples, in the order of dense_backward_weights: one block of products.
bool fits(const Dense& dense) { return dense.n > 0 && dense.n <= kBlock; }

// The gradient of a few rows of w at a time; made once a call, used by all workers.
class GradientRows {
 public:
  GradientRows(const Dense& dense, const float* dy, const float* x, Carver& carver)
      : dense_(dense),
        dy_(dy),
        x_(x),
        rows_(rows_of_piece(dense, micro_.rows)),
        buffers_(carver.take<float>(max_workers() * rows_ * dense.units)),
        runs_(carver.take<Run>(most_runs(dense.n, 1))),
        ends_(carver.take<std::int64_t>(most_blocks(dense.n))) {
    SumWriter writer(runs_, ends_);
    if (runs_ != nullptr) writer.append(0, 0, dense.n, dense.inputs, dense.units);
    samples_ = writer.sum();
  }

  std::int64_t pieces() const { return ceil_div(dense_.inputs, rows_); }

  // Rows [first, first + count) of the gradient, valid until the worker's next piece.
  const float* run(std::int64_t first, std::int64_t count, int worker) const {
    float* dw = buffers_ + worker * rows_ * dense_.units;
    for (std::int64_t unit = 0; unit < dense_.units; unit += micro_.columns) {
      const Product product{x_ + first, 1,       dense_.inputs, dy_ + unit,   dense_.units,
                            samples_,   nullptr, dw + unit,     dense_.units, false};
      multiply(micro_, product, count, std::min<std::int64_t>(micro_.columns, dense_.units - unit));
    }
    return dw;
  }

  std::int64_t rows() const { return rows_; }

 private:
  const Micro& micro_ = conv2d_micro();
  Dense dense_;
  const float *dy_, *x_;
  std::int64_t rows_;
  float* buffers_;  // (workers, rows_, units)
  Run* runs_;
  std::int64_t* ends_;
  Sum samples_;
};

}  // namespace

void dense_update(const Dense& d, const float* dy, const float* x, float* w,
                  const Optimizer& optimizer, char* scratch) noexcept {
  Carver carver(scratch);
  if (!fits(d)) {
    float* dw = carver.take<float>(d.inputs * d.units);
    dense_backward_weights(d, dy, x, dw, nullptr, scratch + carver.bytes());
    return update({w, dw, d.inputs * d.units}, optimizer);
  }
  const GradientRows gradient(d, dy, x, carver);
  parallel_for(gradient.pieces(), [&](std::int64_t piece, int worker) {
    const std::int64_t first = piece * gradient.rows();
    const std::int64_t count = std::min(gradient.rows(), d.inputs - first);
    const float* dw = gradient.run(first, count, worker);
    update_part({w + first * d.units, dw, count * d.units}, first * d.units, optimizer);
  });
}

std::size_t dense_update_scratch(const Dense& dense) {
  Carver counter(nullptr);
  if (fits(dense)) {
    GradientRows(dense, nullptr, nullptr, counter);
    return counter.bytes();
  }
  counter.take<float>(dense.inputs * dense.units);
  return counter.bytes() + dense_backward_weights_scratch(dense);
}

}  // namespace minicnn
