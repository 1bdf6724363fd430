#include "kernels/conv2d/pooled_moments.hpp"

#include <algorithm>

namespace minicnn {

PooledMoments::PooledMoments(const PooledConv2D& op, std::int64_t tasks, std::int64_t columns,
                             ScratchAllocator& allocator)
    : needed_(op.moments),
      tasks_(tasks),
      filters_(op.conv.filters),
      columns_(columns),
      slices_(ceil_div(filters_, columns)),
      parts_(allocator.allocate<double>(needed_ ? tasks * Moments::size(columns) : 0)),
      whole_(allocator.allocate<double>(needed_ ? Moments::size(columns) : 0)) {}

Moments PooledMoments::part(std::int64_t task) const {
  const std::int64_t channels = std::min(columns_, filters_ - task % slices_ * columns_);
  return {parts_ + task * Moments::size(columns_), channels};
}

Moments PooledMoments::start(std::int64_t task) const {
  Moments empty = part(task);
  empty.clear();
  return empty;
}

void PooledMoments::finish(double* moments) const {
  if (!needed_) return;
  for (std::int64_t slice = 0; slice < slices_; ++slice) {
    const std::int64_t filter = slice * columns_;
    Moments whole(whole_, std::min(columns_, filters_ - filter));
    whole.clear();
    for (std::int64_t task = slice; task < tasks_; task += slices_) whole.merge(part(task));
    whole.mean_and_variance(moments + filter, moments + filters_ + filter);
  }
}

}  // namespace minicnn
