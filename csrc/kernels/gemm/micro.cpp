#include "kernels/gemm/micro.hpp"

namespace minicnn {
namespace {

constexpr MicroKernel kMicroKernels[] = {
#define GEMM_MICRO_KERNEL(isa, rows, columns, row_columns) \
  {#isa, Isa::isa, rows, columns, row_columns, gemm_multiply_##isa, gemm_sum_rows_##isa},
#include "kernels/gemm/micros.inc"
#undef GEMM_MICRO_KERNEL
};

const MicroKernel& fastest() {
  for (const MicroKernel& micro : kMicroKernels) {
    if (has(micro.needs)) return micro;
  }
  return kMicroKernels[sizeof kMicroKernels / sizeof kMicroKernels[0] - 1];  // generic always runs
}

}  // namespace

const MicroKernel& gemm_micro_kernel() {
  static const MicroKernel& micro = fastest();
  return micro;
}

}  // namespace minicnn
