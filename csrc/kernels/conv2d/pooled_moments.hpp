#pragma once

#include <cstdint>

#include "kernels/conv2d/carver.hpp"
#include "kernels/conv2d/pooled.hpp"
#include "kernels/moments.hpp"

namespace minicnn {

// The moments of a pooled convolution's output, gathered while it is in cache: a part a task. The
// tasks of one place, `columns` filters each, follow each other. Does nothing if nobody wants them.
class PooledMoments {
 public:
  PooledMoments(const PooledConv2D& op, std::int64_t tasks, std::int64_t columns, Carver& carver);

  bool wanted() const { return wanted_; }
  // Of one task; empty.
  Moments start(std::int64_t task) const;
  // Joins all parts, in the order of their places: moments (2, filters), means and variances.
  void finish(double* moments) const;

 private:
  Moments part(std::int64_t task) const;

  bool wanted_;
  std::int64_t tasks_, filters_, columns_, slices_;
  double *parts_, *whole_;  // (tasks, Moments of `columns` channels), one more
};

}  // namespace minicnn
