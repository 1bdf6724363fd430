#include "kernels/gemm/micro_body.hpp"
#include "kernels/gemm/vectors_generic.hpp"

namespace minicnn {

void gemm_multiply_generic(const MicroTile& tile, int rows, int columns) {
  multiply_tile<Wide, Wide, 4, 32>(tile, rows, columns);
}

void gemm_sum_rows_generic(const RowSums& sums, float* out) { sum_rows<Wide>(sums, out); }

}  // namespace minicnn
