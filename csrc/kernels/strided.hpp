#pragma once

#include <cstdint>

namespace minicnn {

constexpr int kMaxAxes = 16;

// Places in an array, by an index per axis: start + the sum of index * stride, counted in items. A
// stride may be 0, for an axis along which values repeat, or negative.
struct Strided {
  std::int64_t start = 0;
  int axes = 0;
  std::int64_t shape[kMaxAxes];
  std::int64_t strides[kMaxAxes];

  void add_axis(std::int64_t length, std::int64_t stride);
  std::int64_t size() const;

  // Returns the place of an item, numbered in the order of the axes, the last one fastest.
  std::int64_t place(std::int64_t number) const {
    std::int64_t found = start;
    for (int i = axes - 1; i >= 0; --i) {
      found += number % shape[i] * strides[i];
      number /= shape[i];
    }
    return found;
  }
};

// Returns the same places in the same order with as few axes as possible.
Strided merged(const Strided& places);

// Copies the items at these places of x to the contiguous y, and back: items of 1, 2, 4 or 8 bytes.
void gather(const void* x, const Strided& places, std::int64_t item_bytes, void* y) noexcept;
void scatter(const void* x, const Strided& places, std::int64_t item_bytes, void* y) noexcept;

// Writes the same item `count` times; its bytes are the first ones of `item`.
void fill(const void* item, std::int64_t item_bytes, std::int64_t count, void* y) noexcept;

}  // namespace minicnn
