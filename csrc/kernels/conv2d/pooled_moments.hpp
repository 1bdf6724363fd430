#pragma once

#include <cstdint>

#include "core/scratch.hpp"
#include "kernels/conv2d/pooled_conv2d.hpp"
#include "kernels/moments.hpp"

namespace minicnn {

// The moments of a pooled convolution's output, accumulated per task while the output is in cache.
// A task covers `columns` filters; the tasks of the same outputs follow each other. Does nothing if
// the operation does not need moments.
class PooledMoments {
 public:
  PooledMoments(const PooledConv2D& op, std::int64_t tasks, std::int64_t columns,
                ScratchAllocator& allocator);

  bool needed() const { return needed_; }
  // Returns the empty moments of a task.
  Moments start(std::int64_t task) const;
  // Merges the moments of all tasks in their order and writes moments (2, filters): means and
  // variances.
  void finish(double* moments) const;

 private:
  Moments part(std::int64_t task) const;

  bool needed_;
  std::int64_t tasks_, filters_, columns_, slices_;
  double *parts_, *whole_;  // (tasks, Moments of `columns` channels), and another Moments
};

}  // namespace minicnn
