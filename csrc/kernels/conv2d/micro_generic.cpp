#include "kernels/conv2d/micro_body.hpp"
#include "kernels/conv2d/vectors_generic.hpp"

namespace minicnn {

void conv2d_micro_generic(const Tile& tile, int rows, int columns) {
  run_any<Wide, Wide, 4, 32>(tile, rows, columns);
}

void conv2d_sum_rows_generic(const RowSums& sums, float* out) { sum_rows_any<Wide>(sums, out); }

void conv2d_max_pool_generic(const PoolWindows& windows, const float* first, bool relu, float* y,
                             std::uint8_t* argmax) {
  max_pool_any<Wide::kLanes>(windows, first, relu, y, argmax);
}

void conv2d_unpool_generic(const PoolWindows& windows, const float* dy, const std::uint8_t* argmax,
                           float* first) {
  unpool_any<Wide::kLanes>(windows, dy, argmax, first);
}

}  // namespace minicnn
