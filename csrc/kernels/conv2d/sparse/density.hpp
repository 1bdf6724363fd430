#pragma once

#include "core/shapes.hpp"

namespace minicnn {

// Returns approximately the fraction of values (N, H, W, C) that are not 0; NaN counts as not 0.
// Exact for small arrays; in large ones one row in 16 is read, which costs about 1 % of what the
// decision can gain. 0 for an empty array. Depends on the values alone, not on the number of
// threads.
double density(const Shape4& shape, const float* values) noexcept;

}  // namespace minicnn
