#pragma once

#include <cstdint>

#include "kernels/simd_loops/simd_loops.hpp"

namespace minicnn {

// Count, mean and sum of squared differences from the mean, for each channel of some rows, in
// memory that the caller provides. Parts of an array are accumulated while they are in cache, and
// merged in an order that depends on shapes only: so the statistics have the same bits for any
// number of threads.
class Moments {
 public:
  // The number of doubles that the moments of `channels` channels take.
  static std::int64_t size(std::int64_t channels) { return 1 + 2 * channels; }

  Moments(double* memory, std::int64_t channels)
      : count_(memory), mean_(memory + 1), square_(mean_ + channels), channels_(channels) {}

  void clear();
  // Adds x (rows, channels), whose rows are `stride` floats apart. Although x is read only once, a
  // small variance is exact even if the mean is large: it is computed for small blocks, relative to
  // a value near the block's mean.
  void add(const float* x, std::int64_t rows, std::int64_t stride);
  void merge(const Moments& more);

  // Writes mean and variance, both (channels,); 0 if no rows were added.
  void mean_and_variance(double* mean, double* variance) const;

 private:
  double *count_, *mean_, *square_;
  std::int64_t channels_;
};

}  // namespace minicnn
