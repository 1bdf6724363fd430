#include "kernels/fold_batch_norm.hpp"

#include <algorithm>
#include <cmath>

#include "core/scratch.hpp"

// Folding runs once after a change of the weights, so it is written for accuracy, not for speed.

namespace minicnn {
namespace {

// The batch norm as y = scale * x + shift per channel.
struct Affine {
  Affine(std::int64_t count, ScratchAllocator& allocator)
      : scale(allocator.allocate<double>(count)), shift(allocator.allocate<double>(count)) {}

  void set(const FixedBatchNorm& norm, std::int64_t count) const {
    for (std::int64_t c = 0; c < count; ++c) {
      scale[c] = double(norm.gamma[c]) / std::sqrt(double(norm.variance[c]) + norm.epsilon);
      shift[c] = double(norm.beta[c]) - scale[c] * double(norm.mean[c]);
    }
  }

  double *scale, *shift;
};

// The scratch arrays of both kernels.
struct Scratch {
  Scratch(const FoldedShape& shape, ScratchAllocator& allocator)
      : affine(std::max(shape.channels, shape.filters), allocator),
        sums(allocator.allocate<double>(shape.filters)) {}

  Affine affine;
  double* sums;
};

}  // namespace

void fold_batch_norm_after_conv2d(const FoldedShape& shape, const float* w, const float* b,
                                  const FixedBatchNorm& norm, float* folded_w, float* folded_b,
                                  char* scratch) noexcept {
  ScratchAllocator allocator(scratch);
  const Affine affine = Scratch(shape, allocator).affine;
  affine.set(norm, shape.filters);
  for (std::int64_t row = 0; row < shape.cells * shape.channels; ++row) {
    for (std::int64_t f = 0; f < shape.filters; ++f) {
      const std::int64_t i = row * shape.filters + f;
      folded_w[i] = float(double(w[i]) * affine.scale[f]);
    }
  }
  for (std::int64_t f = 0; f < shape.filters; ++f) {
    const double bias = b == nullptr ? 0.0 : double(b[f]);
    folded_b[f] = float(affine.scale[f] * bias + affine.shift[f]);
  }
}

void fold_batch_norm_before_conv2d(const FoldedShape& shape, const float* w, const float* b,
                                   const FixedBatchNorm& norm, float* folded_w, float* folded_b,
                                   char* scratch) noexcept {
  ScratchAllocator allocator(scratch);
  const auto [affine, sums] = Scratch(shape, allocator);
  affine.set(norm, shape.channels);
  std::fill_n(sums, shape.filters, 0.0);
  for (std::int64_t row = 0; row < shape.cells * shape.channels; ++row) {
    const std::int64_t c = row % shape.channels;
    for (std::int64_t f = 0; f < shape.filters; ++f) {
      const std::int64_t i = row * shape.filters + f;
      folded_w[i] = float(double(w[i]) * affine.scale[c]);
      sums[f] += double(w[i]) * affine.shift[c];
    }
  }
  for (std::int64_t f = 0; f < shape.filters; ++f) {
    folded_b[f] = float((b == nullptr ? 0.0 : double(b[f])) + sums[f]);
  }
}

std::size_t fold_batch_norm_scratch(const FoldedShape& shape) {
  ScratchAllocator counter(nullptr);
  Scratch(shape, counter);
  return counter.bytes();
}

}  // namespace minicnn
