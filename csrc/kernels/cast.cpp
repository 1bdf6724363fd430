#include "kernels/cast.hpp"

#include <limits>

#include "core/blocks.hpp"

namespace minicnn {
namespace {

std::int32_t integer_of(float x) {
  const bool fits = x >= -2147483648.0F && x < 2147483648.0F;  // not if x is NaN
  return fits ? std::int32_t(x) : std::numeric_limits<std::int32_t>::min();
}
std::int32_t integer_of(std::int32_t x) { return x; }
std::int32_t integer_of(std::uint8_t x) { return x; }

template <class From>
void cast_from(const From* x, std::int64_t size, char to, void* y) noexcept {
  parallel_blocks(size, [=](std::int64_t begin, std::int64_t end) {
    auto* floats = static_cast<float*>(y);
    auto* integers = static_cast<std::int32_t*>(y);
    auto* bytes = static_cast<std::uint8_t*>(y);
    for (std::int64_t i = begin; i < end && to == 'f'; ++i) floats[i] = float(x[i]);
    for (std::int64_t i = begin; i < end && to == 'i'; ++i) integers[i] = integer_of(x[i]);
    for (std::int64_t i = begin; i < end && to == '?'; ++i) bytes[i] = x[i] != From(0) ? 1 : 0;
    for (std::int64_t i = begin; i < end && to == 'B'; ++i) {
      bytes[i] = std::uint8_t(std::uint32_t(integer_of(x[i])) & 0xFFU);
    }
  });
}

}  // namespace

bool can_cast(char dtype) { return dtype == 'f' || dtype == 'i' || dtype == 'B' || dtype == '?'; }

void cast(const void* x, char from, std::int64_t size, char to, void* y) noexcept {
  if (from == 'f') cast_from(static_cast<const float*>(x), size, to, y);
  if (from == 'i') cast_from(static_cast<const std::int32_t*>(x), size, to, y);
  if (from == 'B' || from == '?') cast_from(static_cast<const std::uint8_t*>(x), size, to, y);
}

}  // namespace minicnn
