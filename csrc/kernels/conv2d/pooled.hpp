#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/conv2d/geometry.hpp"
#include "kernels/conv2d/micro.hpp"

namespace minicnn {

// One pooling window: where its first cell inside the convolution's output is, and its cells.
struct PoolWindow {
  std::int64_t row, column;
  PoolCells cells;
};

// max_pool2d(activation(conv2d(x))) as one operation.
struct PooledConv2D {
  Conv2D conv;
  Window2D pool;  // over the convolution's output
  bool relu;

  Shape4 y() const {
    return {conv.x.n, pool.out_h(conv.oh()), pool.out_w(conv.ow()), conv.filters};
  }

  // The window of pixel (py, px) over an image whose rows are row_stride apart.
  PoolWindow window(std::int64_t py, std::int64_t px, std::int64_t row_stride) const {
    const std::int64_t y0 = py * pool.sy - pool.top, x0 = px * pool.sx - pool.left;
    const std::int64_t row = std::max<std::int64_t>(0, y0), column = std::max<std::int64_t>(0, x0);
    const PoolCells cells{std::min(y0 + pool.kh, conv.oh()) - row,
                          std::min(x0 + pool.kw, conv.ow()) - column,
                          row_stride,
                          conv.filters,
                          int((row - y0) * pool.kw + column - x0),
                          int(pool.kw)};
    return {row, column, cells};
  }
};

//   x, w, b as in conv2d_forward
//   y      (N, PH, PW, filters)   written
//   winner (N, PH, PW, filters)   written; the number ky * KW + kx of the pool's first largest cell
// The image between the two, (N, OH, OW, filters), is never written.
void conv2d_max_pool2d_forward(const PooledConv2D& op, const float* x, const float* w,
                               const float* b, float* y, std::uint8_t* winner,
                               char* scratch) noexcept;
std::size_t conv2d_max_pool2d_forward_scratch(const PooledConv2D& op);

//   dy, y, winner (N, PH, PW, filters); a winner may be any number, those outside are not followed
void conv2d_max_pool2d_backward_input(const PooledConv2D& op, const float* dy, const float* y,
                                      const std::uint8_t* winner, const float* w, float* dx,
                                      char* scratch) noexcept;
std::size_t conv2d_max_pool2d_backward_input_scratch(const PooledConv2D& op);

void conv2d_max_pool2d_backward_weights(const PooledConv2D& op, const float* dy, const float* y,
                                        const std::uint8_t* winner, const float* x, float* dw,
                                        float* db, char* scratch) noexcept;
std::size_t conv2d_max_pool2d_backward_weights_scratch(const PooledConv2D& op);

}  // namespace minicnn
