#pragma once

#include <cstdint>

#include "core/shapes.hpp"

namespace minicnn {

inline std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// How a convolution is computed; `automatic` leaves it to the chooser.
enum class Algorithm { automatic, direct, depthwise, winograd, pool_sparse, relu_sparse };

// Shapes of a convolution: x (N, H, W, C), w (KH, KW, C / groups, filters), y (N, OH, OW, filters).
struct Conv2D {
  Shape4 x;
  Window2D window;
  std::int64_t groups, filters;
  Algorithm algorithm = Algorithm::automatic;  // what the caller asks for

  std::int64_t oh() const { return window.out_h(x.h); }
  std::int64_t ow() const { return window.out_w(x.w); }
  Shape4 y() const { return {x.n, oh(), ow(), filters}; }
  std::int64_t ci() const { return x.c / groups; }      // channels that one filter sees
  std::int64_t co() const { return filters / groups; }  // filters of one group
  std::int64_t taps() const { return window.kh * window.kw * ci(); }  // products in one output
  std::int64_t weights() const { return taps() * filters; }

  // True if the inputs of one kernel row lie side by side, in the order of the weights.
  bool dense_rows() const { return groups == 1 && window.dx == 1; }
  // Inputs side by side are a segment: a whole kernel row, or one cell of it.
  std::int64_t row_segments() const { return dense_rows() ? 1 : window.kw; }
  std::int64_t segment_length() const { return dense_rows() ? window.kw * ci() : ci(); }

  // Input columns that `columns` outputs of one row see.
  std::int64_t seen_columns(std::int64_t columns) const {
    return (columns - 1) * window.sx + (window.kw - 1) * window.dx + 1;
  }
  bool pads() const { return window.top + window.bottom + window.left + window.right > 0; }
};

// The same sums as one long row of pixels, if no window sees more than its own pixel.
inline Conv2D flattened(Conv2D conv) {
  const Window2D& win = conv.window;
  const bool own_pixel = win.kh * win.kw * win.sy * win.sx == 1 && !conv.pads();
  if (own_pixel) conv.x = {1, 1, conv.x.n * conv.x.h * conv.x.w, conv.x.c};
  return conv;
}

}  // namespace minicnn
