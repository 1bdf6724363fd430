#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/conv2d/geometry.hpp"
#include "kernels/conv2d/micro.hpp"

namespace minicnn {

// Pooling windows of one row that see the same cells: the first one's number in the row, where its
// first cell inside the convolution's output is, and the cells.
struct PoolPlace {
  std::int64_t px, row, column;
  PoolWindows windows;
};

// max_pool2d(activation(conv2d(x))) as one operation.
struct PooledConv2D {
  Conv2D conv;
  Window2D pool;  // over the convolution's output
  bool relu;
  bool moments = false;  // of y are asked for, too

  Shape4 y() const {
    return {conv.x.n, pool.out_h(conv.oh()), pool.out_w(conv.ow()), conv.filters};
  }

  // The windows from (py, px) on, over an image whose rows are row_stride floats apart: as many as
  // lie inside from left to right, or one that does not.
  PoolPlace place(std::int64_t py, std::int64_t px, std::int64_t row_stride) const;

  // Calls visit(PoolPlace) until all windows of row `py` have had their turn.
  template <class F>
  void for_places(std::int64_t py, std::int64_t row_stride, F visit) const {
    for (std::int64_t px = 0, pw = y().w; px < pw;) {
      const PoolPlace next = place(py, px, row_stride);
      visit(next);
      px += next.windows.count;
    }
  }
};

}  // namespace minicnn
