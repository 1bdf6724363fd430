#include "kernels/gemm/micro_body.hpp"
#include "kernels/gemm/vectors_avx2.hpp"

namespace minicnn {

void gemm_multiply_avx2(const MicroTile& tile, int rows, int columns) {
  multiply_tile<Wide, Half, 6, 64>(tile, rows, columns);
}

void gemm_sum_rows_avx2(const RowSums& sums, float* out) { sum_rows<Wide>(sums, out); }

}  // namespace minicnn
