#include "kernels/conv2d/sparse/micro.hpp"

#include "kernels/conv2d/geometry.hpp"

namespace minicnn {
namespace {

constexpr SparseMicroKernel kMicroKernels[] = {
#define SPARSE_MICRO_KERNEL(isa, lane_count, sum_count) \
  {#isa,                                                \
   Isa::isa,                                            \
   lane_count,                                          \
   sum_count,                                           \
   sparse_add_##isa,                                    \
   sparse_list_by_filter_##isa,                         \
   sparse_list_by_cell_##isa,                           \
   sparse_copy_##isa},
#include "kernels/conv2d/sparse/micros.inc"
#undef SPARSE_MICRO_KERNEL
};

const SparseMicroKernel& fastest() {
  for (const SparseMicroKernel& micro : kMicroKernels) {
    if (has(micro.needs)) return micro;
  }
  return kMicroKernels[sizeof kMicroKernels / sizeof kMicroKernels[0] - 1];  // generic always runs
}

}  // namespace

const SparseMicroKernel& sparse_micro_kernel() {
  static const SparseMicroKernel& best = fastest();
  return best;
}

void add_sparse(const SparseMicroKernel& micro, const SparseSums& sums, std::int64_t rows) {
  const std::int64_t max_rows = micro.sums / ceil_div(sums.columns, micro.lanes);
  const std::int64_t groups = ceil_div(rows, max_rows);
  SparseSums part = sums;
  for (std::int64_t group = 0; group < groups; ++group) {
    const std::int64_t begin = rows * group / groups, end = rows * (group + 1) / groups;
    micro.add(part, int(end - begin));
    part.in += (end - begin) * sums.in_row;
    part.out += (end - begin) * sums.out_row;
  }
}

}  // namespace minicnn
