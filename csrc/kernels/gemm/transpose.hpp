#pragma once

#include <cstdint>

namespace minicnn {

// to (columns, rows) = the transpose of from (rows, columns); rows are to_row and from_row floats
// apart.
void transpose(const float* from, std::int64_t from_row, std::int64_t rows, std::int64_t columns,
               float* to, std::int64_t to_row) noexcept;

}  // namespace minicnn
