#include "kernels/strided.hpp"

#include <algorithm>
#include <cstring>

#include "core/blocks.hpp"

namespace minicnn {
namespace {

// The last axis of the places, and the places where it begins.
struct Rows {
  explicit Rows(Strided places) : starts(merged(places)) {
    if (starts.axes > 0) {
      --starts.axes;
      length = starts.shape[starts.axes];
      stride = starts.strides[starts.axes];
    }
  }

  Strided starts;
  std::int64_t length = 1, stride = 1;
};

template <class T>
void gather_items(const T* x, const Strided& places, T* y) noexcept {
  const Rows rows(places);
  parallel_rows(rows.starts.size(), rows.length, [&](std::int64_t row, int) {
    const T* from = x + rows.starts.place(row);
    T* out = y + row * rows.length;
    if (rows.stride == 1) {
      std::copy_n(from, rows.length, out);
    } else if (rows.stride == 0) {
      std::fill_n(out, rows.length, *from);
    } else {
      for (std::int64_t i = 0; i < rows.length; ++i) out[i] = from[i * rows.stride];
    }
  });
}

template <class T>
void scatter_items(const T* x, const Strided& places, T* y) noexcept {
  const Rows rows(places);
  parallel_rows(rows.starts.size(), rows.length, [&](std::int64_t row, int) {
    const T* from = x + row * rows.length;
    T* out = y + rows.starts.place(row);
    for (std::int64_t i = 0; i < rows.length; ++i) out[i * rows.stride] = from[i];
  });
}

template <class T>
void fill_items(const void* item, std::int64_t count, void* y) noexcept {
  T value;
  std::memcpy(&value, item, sizeof(T));
  T* out = static_cast<T*>(y);
  parallel_blocks(count, [=](std::int64_t begin, std::int64_t end) {
    std::fill(out + begin, out + end, value);
  });
}

}  // namespace

void Strided::add_axis(std::int64_t length, std::int64_t stride) {
  shape[axes] = length;
  strides[axes] = stride;
  ++axes;
}

std::int64_t Strided::size() const {
  std::int64_t product = 1;
  for (int i = 0; i < axes; ++i) product *= shape[i];
  return product;
}

Strided merged(const Strided& places) {
  Strided found;
  found.start = places.start;
  for (int i = 0; i < places.axes; ++i) {
    const std::int64_t length = places.shape[i], stride = places.strides[i];
    if (length == 1) continue;
    const int last = found.axes - 1;
    if (last >= 0 && found.strides[last] == length * stride) {
      found.shape[last] *= length;
      found.strides[last] = stride;
    } else {
      found.add_axis(length, stride);
    }
  }
  return found;
}

void gather(const void* x, const Strided& places, std::int64_t item_bytes, void* y) noexcept {
  const auto copied = [&](auto item) {
    using T = decltype(item);
    gather_items(static_cast<const T*>(x), places, static_cast<T*>(y));
  };
  if (item_bytes == 1) copied(std::uint8_t{});
  if (item_bytes == 2) copied(std::uint16_t{});
  if (item_bytes == 4) copied(std::uint32_t{});
  if (item_bytes == 8) copied(std::uint64_t{});
}

void scatter(const void* x, const Strided& places, std::int64_t item_bytes, void* y) noexcept {
  const auto copied = [&](auto item) {
    using T = decltype(item);
    scatter_items(static_cast<const T*>(x), places, static_cast<T*>(y));
  };
  if (item_bytes == 1) copied(std::uint8_t{});
  if (item_bytes == 2) copied(std::uint16_t{});
  if (item_bytes == 4) copied(std::uint32_t{});
  if (item_bytes == 8) copied(std::uint64_t{});
}

void fill(const void* item, std::int64_t item_bytes, std::int64_t count, void* y) noexcept {
  if (item_bytes == 1) fill_items<std::uint8_t>(item, count, y);
  if (item_bytes == 2) fill_items<std::uint16_t>(item, count, y);
  if (item_bytes == 4) fill_items<std::uint32_t>(item, count, y);
  if (item_bytes == 8) fill_items<std::uint64_t>(item, count, y);
}

}  // namespace minicnn
