#include "kernels/conv2d/winograd/tiles.hpp"

namespace minicnn {

void SquareReader::copy(std::int64_t n, std::int64_t y, std::int64_t x, float* patch) const {
  const auto [images_n, h, w, c] = shape;
  const std::int64_t from = std::clamp<std::int64_t>(-x, 0, side);
  const std::int64_t to = std::clamp<std::int64_t>(w - x, from, side);
  for (std::int64_t row = y; row < y + side; ++row, patch += side * c) {
    if (row < 0 || row >= h || from == to) {
      std::fill_n(patch, side * c, 0.0F);
      continue;
    }
    const std::int64_t first = ((n * h + row) * w + x + from) * c, count = (to - from) * c;
    std::fill_n(patch, from * c, 0.0F);
    if (relu_mask == nullptr) {
      std::copy_n(images + first, count, patch + from * c);
    } else {
      for (std::int64_t i = 0; i < count; ++i) {
        const float value = images[first + i];  // read unconditionally: a select, not a branch
        patch[from * c + i] = relu_mask[first + i] > 0 ? value : 0.0F;
      }
    }
    std::fill_n(patch + to * c, (side - to) * c, 0.0F);
  }
}

void SquareReader::read(std::int64_t n, std::int64_t y, std::int64_t x, float* patch,
                        WinogradSquare& square) const {
  const auto [images_n, h, w, c] = shape;
  const bool inside = y >= 0 && y + side <= h && x >= 0 && x + side <= w;
  const std::int64_t first = ((n * h + y) * w + x) * c;
  if (inside) {  // prefetch what the tile after the next will read
    const std::int64_t ahead = (side + kWinogradOutputs) * c;
    prefetch<false>(images + first + ahead, side, w * c, kWinogradOutputs * c);
  } else {
    copy(n, y, x, patch);
  }
  square.from = inside ? images + first : patch;
  square.relu_mask = inside && relu_mask != nullptr ? relu_mask + first : nullptr;
  square.from_row = (inside ? w : side) * c;
  square.from_column = c;
}

}  // namespace minicnn
