#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/conv2d/geometry.hpp"
#include "kernels/simd_loops/simd_loops.hpp"

namespace minicnn {

// Neighboring pooling windows of one row that have the same cells inside the convolution's output:
// the column of the first window, and the row and column of its first cell.
struct WindowGroup {
  std::int64_t px, row, column;
  PoolWindows windows;
};

// max_pool2d(activation(conv2d(x))) as one operation; the activation is a ReLU or nothing.
struct PooledConv2D {
  Conv2D conv;
  Window2D pool;  // over the convolution's output
  bool relu;
  bool moments = false;  // whether the forward pass also computes the moments of y

  Shape4 y() const {
    return {conv.x.n, pool.out_h(conv.oh()), pool.out_w(conv.ow()), conv.filters};
  }

  // Returns the windows from (py, px) on, in an output whose rows are row_stride floats apart: all
  // those that lie inside from left to right, or a single one that does not.
  WindowGroup window_group(std::int64_t py, std::int64_t px, std::int64_t row_stride) const;

  // Calls visit(WindowGroup) for all windows of row `py`.
  template <class F>
  void for_window_groups(std::int64_t py, std::int64_t row_stride, F visit) const {
    for (std::int64_t px = 0, pw = y().w; px < pw;) {
      const WindowGroup next = window_group(py, px, row_stride);
      visit(next);
      px += next.windows.count;
    }
  }
};

}  // namespace minicnn
