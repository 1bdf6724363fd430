#include "kernels/dropout_mask.hpp"

#include <algorithm>

#include "core/blocks.hpp"

namespace minicnn {
namespace {

// Returns where the values of a row of the mask begin among those that were drawn.
std::int64_t first_drawn(const MaskShape& mask, std::int64_t row) {
  std::int64_t index = 0, stride = mask.drawn[mask.axes - 1];
  for (std::int64_t axis = mask.axes - 2; axis >= 0; --axis) {
    if (mask.drawn[axis] != 1) index += stride * (row % mask.shape[axis]);
    stride *= mask.drawn[axis];
    row /= mask.shape[axis];
  }
  return index;
}

}  // namespace

std::int64_t MaskShape::values() const {
  std::int64_t product = 1;
  for (std::int64_t axis = 0; axis < axes; ++axis) product *= drawn[axis];
  return product;
}

std::size_t dropout_mask_scratch(const MaskShape& mask) {
  return std::size_t(mask.values()) * sizeof(float);
}

void dropout_mask(const MaskShape& mask, const Dropout& rule, float* y, char* scratch) noexcept {
  auto* drawn = reinterpret_cast<float*>(scratch);
  const std::int64_t count = mask.values();
  std::fill_n(drawn, count, 1.0F);
  dropout(drawn, count, rule, drawn);
  std::int64_t rows = 1;
  for (std::int64_t axis = 0; axis + 1 < mask.axes; ++axis) rows *= mask.shape[axis];
  const std::int64_t length = mask.shape[mask.axes - 1];
  parallel_rows(rows, length, [&](std::int64_t row, int) {
    const float* from = drawn + first_drawn(mask, row);
    if (mask.drawn[mask.axes - 1] == 1) {
      std::fill_n(y + row * length, length, *from);
    } else {
      std::copy_n(from, length, y + row * length);
    }
  });
}

}  // namespace minicnn
