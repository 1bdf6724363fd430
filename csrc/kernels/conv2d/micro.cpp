#include "kernels/conv2d/micro.hpp"

namespace minicnn {
namespace {

constexpr Micro kMicros[] = {
#define CONV2D_MICRO(isa, rows, columns, row_columns) \
  {#isa,                                              \
   Isa::isa,                                          \
   rows,                                              \
   columns,                                           \
   row_columns,                                       \
   conv2d_micro_##isa,                                \
   conv2d_sum_rows_##isa,                             \
   conv2d_max_pool_##isa,                             \
   conv2d_unpool_##isa},
#include "kernels/conv2d/micros.inc"
#undef CONV2D_MICRO
};

const Micro& choose() {
  for (const Micro& micro : kMicros) {
    if (has(micro.needs)) return micro;
  }
  return kMicros[sizeof kMicros / sizeof kMicros[0] - 1];  // generic needs nothing
}

}  // namespace

const Micro& conv2d_micro() {
  static const Micro& best = choose();
  return best;
}

}  // namespace minicnn
