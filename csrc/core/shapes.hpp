#pragma once

#include <cstdint>

namespace minicnn {

// The shape (N, H, W, C) of a batch of images.
struct Shape4 {
  std::int64_t n, h, w, c;

  std::int64_t size() const { return n * h * w * c; }
  std::int64_t image() const { return h * w * c; }
};

// A sliding window without defaults; mirrors minicnn.shapes.Window2D.
struct Window2D {
  std::int64_t kh, kw;                    // cells
  std::int64_t sy, sx;                    // strides
  std::int64_t dy, dx;                    // dilation: rows and columns between cells
  std::int64_t top, bottom, left, right;  // padding

  std::int64_t out_h(std::int64_t h) const {
    return (h + top + bottom - (kh - 1) * dy - 1) / sy + 1;
  }
  std::int64_t out_w(std::int64_t w) const {
    return (w + left + right - (kw - 1) * dx - 1) / sx + 1;
  }
};

}  // namespace minicnn
