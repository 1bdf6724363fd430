#include "kernels/conv2d/pooled_conv2d.hpp"

#include <algorithm>

namespace minicnn {

WindowGroup PooledConv2D::window_group(std::int64_t py, std::int64_t px,
                                       std::int64_t row_stride) const {
  const std::int64_t y0 = py * pool.sy - pool.top, x0 = px * pool.sx - pool.left;
  const std::int64_t row = std::max<std::int64_t>(0, y0), column = std::max<std::int64_t>(0, x0);
  const std::int64_t room = conv.ow() - pool.kw - x0;  // right of this window
  const std::int64_t count = x0 < 0 || room < 0 ? 1 : std::min(y().w - px, room / pool.sx + 1);
  return {px,
          row,
          column,
          {count, pool.sx * conv.filters, std::min(y0 + pool.kh, conv.oh()) - row,
           std::min(x0 + pool.kw, conv.ow()) - column, row_stride, conv.filters,
           int((row - y0) * pool.kw + column - x0), int(pool.kw)}};
}

}  // namespace minicnn
