#include "kernels/conv2d/micro_body.hpp"
#include "kernels/conv2d/vectors_avx512.hpp"

namespace minicnn {

void conv2d_micro_avx512(const Tile& tile, int rows, int columns) {
  run_any<Wide, Half, 14, 64>(tile, rows, columns);
}

void conv2d_sum_rows_avx512(const RowSums& sums, float* out) { sum_rows_any<Wide>(sums, out); }

void conv2d_max_pool_avx512(const PoolWindows& windows, const float* first, bool relu, float* y,
                            std::uint8_t* argmax) {
  max_pool_any<Wide::kLanes>(windows, first, relu, y, argmax);
}

void conv2d_unpool_avx512(const PoolWindows& windows, const float* dy, const std::uint8_t* argmax,
                          float* first) {
  unpool_any<Wide::kLanes>(windows, dy, argmax, first);
}

}  // namespace minicnn
