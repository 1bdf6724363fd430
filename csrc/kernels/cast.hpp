#pragma once

#include <cstdint>

namespace minicnn {

// Returns whether values of a dtype, by its character, can be cast: float32 'f', int32 'i', uint8
// 'B' and bool '?'.
bool can_cast(char dtype);

// y = x in another dtype. A fraction is cut off; what no integer holds becomes the least int32.
void cast(const void* x, char from, std::int64_t size, char to, void* y) noexcept;

}  // namespace minicnn
