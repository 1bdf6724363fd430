#pragma once

#include <cstdint>

#include "kernels/loops/loops.hpp"

namespace minicnn {

// Count, mean and sum of the squared deviations from it of some numbers of each channel, in memory
// of the caller's. Parts of an array are gathered where they are in cache, and joined in an order
// that depends on shapes only: so the statistics have the same bits for any number of threads.
class Moments {
 public:
  // Doubles that the moments of so many channels take.
  static std::int64_t size(std::int64_t channels) { return 1 + 2 * channels; }

  Moments(double* numbers, std::int64_t channels)
      : count_(numbers), mean_(numbers + 1), square_(mean_ + channels), channels_(channels) {}

  void clear();
  // x (rows, channels), `stride` floats from row to row. A small variance survives a large mean
  // although x is read once: it is taken of small blocks, about a number near each one's mean.
  void add(const float* x, std::int64_t rows, std::int64_t stride);
  void join(const Moments& more);

  // Both (channels,), written; 0 of no numbers.
  void mean_and_variance(double* mean, double* variance) const;

 private:
  double *count_, *mean_, *square_;
  std::int64_t channels_;
};

}  // namespace minicnn
