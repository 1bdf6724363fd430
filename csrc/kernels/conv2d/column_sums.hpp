#pragma once

#include <cstddef>
#include <cstdint>

namespace minicnn {

// out (columns,) = the sum of x (rows, columns) over its rows: float32 additions in small blocks,
// whose sums are added in float64. The order depends on the shape only. With a gate, (rows,
// columns), x counts as 0 where the gate is not positive.
void column_sums(const float* x, std::int64_t rows, std::int64_t columns, float* out, char* scratch,
                 const float* gate = nullptr) noexcept;
std::size_t column_sums_scratch(std::int64_t rows, std::int64_t columns);

}  // namespace minicnn
