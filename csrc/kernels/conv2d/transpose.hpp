#pragma once

#include <cstdint>

namespace minicnn {

// to (columns, rows) = from (rows, columns), their rows to_row and from_row apart.
void transpose(const float* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns,
               float* to, std::int64_t to_row) noexcept;

}  // namespace minicnn
