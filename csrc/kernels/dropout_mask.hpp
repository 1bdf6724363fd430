#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/dropout.hpp"

namespace minicnn {

// The shape of a mask, and that of the values that are drawn for it: along an axis where `drawn` is
// 1, all values of the mask are the same.
struct MaskShape {
  std::int64_t axes;  // >= 1
  const std::int64_t *shape, *drawn;

  std::int64_t values() const;  // that are drawn
};

// The scratch of the kernel, in bytes.
std::size_t dropout_mask_scratch(const MaskShape& mask);

// Writes y, which dropout multiplies by: 0 where a value is dropped, else the rule's scale.
void dropout_mask(const MaskShape& mask, const Dropout& rule, float* y, char* scratch) noexcept;

}  // namespace minicnn
