#pragma once

#include <cstdint>

#include "core/integers.hpp"
#include "core/shapes.hpp"

namespace minicnn {

// How a convolution is computed; `automatic` leaves the choice to algorithm_selection.hpp.
enum class Algorithm {
  automatic,
  direct,
  depthwise,
  one_filter,
  winograd,
  pool_sparse,
  relu_sparse
};

// The shapes of a convolution: x (N, H, W, C), w (KH, KW, C / groups, filters), y (N, OH, OW,
// filters).
struct Conv2D {
  Shape4 x;
  Window2D window;
  std::int64_t groups, filters;
  Algorithm algorithm = Algorithm::automatic;  // as requested by the caller

  std::int64_t oh() const { return window.out_h(x.h); }
  std::int64_t ow() const { return window.out_w(x.w); }
  Shape4 y() const { return {x.n, oh(), ow(), filters}; }
  std::int64_t ci() const { return x.c / groups; }      // channels that a filter reads
  std::int64_t co() const { return filters / groups; }  // filters per group
  std::int64_t taps() const { return window.kh * window.kw * ci(); }  // products per output
  std::int64_t weights() const { return taps() * filters; }

  // Returns whether the inputs of one kernel row are contiguous, in the order of the weights.
  bool dense_rows() const { return groups == 1 && window.dx == 1; }
  // Contiguous inputs are a segment of the sum: a whole kernel row, or one cell of it.
  std::int64_t row_segments() const { return dense_rows() ? 1 : window.kw; }
  std::int64_t segment_length() const { return dense_rows() ? window.kw * ci() : ci(); }

  // The number of input columns that `columns` neighboring outputs of one row read.
  std::int64_t columns_read(std::int64_t columns) const {
    return (columns - 1) * window.sx + (window.kw - 1) * window.dx + 1;
  }
  bool pads() const { return window.top + window.bottom + window.left + window.right > 0; }
};

// Returns the same convolution over a single row of pixels, if every window reads only its own
// pixel.
inline Conv2D flattened(Conv2D conv) {
  const Window2D& win = conv.window;
  const bool own_pixel = win.kh * win.kw * win.sy * win.sx == 1 && !conv.pads();
  if (own_pixel) conv.x = {1, 1, conv.x.n * conv.x.h * conv.x.w, conv.x.c};
  return conv;
}

}  // namespace minicnn
