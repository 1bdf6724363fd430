#pragma once

#include <cstddef>
#include <cstdint>

namespace minicnn {

// out (columns,) = the sum of x (rows, columns) over its rows. Small blocks are summed in float32,
// their sums in float64, in an order that depends on the shape only. If there is a relu_mask (rows,
// columns), x counts as 0 where the mask is not positive.
void column_sums(const float* x, std::int64_t rows, std::int64_t columns, float* out, char* scratch,
                 const float* relu_mask = nullptr) noexcept;
std::size_t column_sums_scratch(std::int64_t rows, std::int64_t columns);

}  // namespace minicnn
