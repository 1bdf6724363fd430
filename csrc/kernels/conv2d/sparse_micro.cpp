#include "kernels/conv2d/sparse_micro.hpp"

#include "kernels/conv2d/geometry.hpp"

namespace minicnn {
namespace {

constexpr SparseMicro kMicros[] = {
#define SPARSE_MICRO(isa, lane_count, sum_count) \
  {#isa,                                         \
   Isa::isa,                                     \
   lane_count,                                   \
   sum_count,                                    \
   sparse_add_##isa,                             \
   sparse_list_by_filter_##isa,                  \
   sparse_list_by_cell_##isa,                    \
   sparse_copy_##isa},
#include "kernels/conv2d/sparse_micros.inc"
#undef SPARSE_MICRO
};

const SparseMicro& choose() {
  for (const SparseMicro& micro : kMicros) {
    if (has(micro.needs)) return micro;
  }
  return kMicros[sizeof kMicros / sizeof kMicros[0] - 1];  // generic needs nothing
}

}  // namespace

const SparseMicro& sparse_micro() {
  static const SparseMicro& best = choose();
  return best;
}

void add_sparse(const SparseMicro& micro, const SparseSums& sums, std::int64_t rows) {
  const std::int64_t most = micro.sums / ceil_div(sums.columns, micro.lanes);
  const std::int64_t groups = ceil_div(rows, most);
  SparseSums part = sums;
  for (std::int64_t group = 0; group < groups; ++group) {
    const std::int64_t begin = rows * group / groups, end = rows * (group + 1) / groups;
    micro.add(part, int(end - begin));
    part.in += (end - begin) * sums.in_row;
    part.out += (end - begin) * sums.out_row;
  }
}

}  // namespace minicnn
