#include "kernels/binary.hpp"

#include <cmath>

#include "kernels/elementwise_map.hpp"

namespace minicnn {
namespace {

float subtract(float a, float b) { return a - b; }
float divide(float a, float b) { return a / b; }
float maximum(float a, float b) { return (a >= b) | (a != a) ? a : b; }  // NaN if either is
float minimum(float a, float b) { return (a <= b) | (a != a) ? a : b; }
float power(float a, float b) { return std::pow(a, b); }

template <float (*function)(float, float)>
void forward(const float* a, const float* b, std::int64_t size, float* y) noexcept {
  map(size, y, [](float u, float v) { return function(u, v); }, a, b);
}

bool equal(float a, float b) { return a == b; }
bool not_equal(float a, float b) { return a != b; }
bool less(float a, float b) { return a < b; }
bool less_equal(float a, float b) { return a <= b; }
bool greater(float a, float b) { return a > b; }
bool greater_equal(float a, float b) { return a >= b; }

template <bool (*holds)(float, float)>
void compare(const float* a, const float* b, std::int64_t size, std::uint8_t* y) noexcept {
  parallel_blocks(size, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) y[i] = holds(a[i], b[i]) ? 1 : 0;
  });
}

// da = dy where a is chosen, else 0; db the other way.
template <bool (*first)(float, float)>
void chosen_backward(const float* dy, const float* a, const float* b, std::int64_t size, float* da,
                     float* db) noexcept {
  parallel_blocks(size, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const bool is_first = first(a[i], b[i]);
      da[i] = is_first ? dy[i] : 0.0F;
      db[i] = is_first ? 0.0F : dy[i];
    }
  });
}

template <class T>
void select(const std::uint8_t* condition, const void* a, const void* b, std::int64_t size,
            void* y) noexcept {
  const T *first = static_cast<const T*>(a), *second = static_cast<const T*>(b);
  T* out = static_cast<T*>(y);
  parallel_blocks(size, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const T u = first[i], v = second[i];
      out[i] = condition[i] != 0 ? u : v;
    }
  });
}

}  // namespace

const std::vector<Binary>& binary_functions() {
  static const std::vector<Binary> all = {
      {"divide", forward<divide>}, {"maximum", forward<maximum>},   {"minimum", forward<minimum>},
      {"power", forward<power>},   {"subtract", forward<subtract>},
  };
  return all;
}

void subtract_backward(const float* dy, std::int64_t size, float* da, float* db) noexcept {
  parallel_blocks(size, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      da[i] = dy[i];
      db[i] = -dy[i];
    }
  });
}

void divide_backward(const float* dy, const float* b, const float* y, std::int64_t size, float* da,
                     float* db) noexcept {
  parallel_blocks(size, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const float gradient = dy[i] / b[i];
      da[i] = gradient;
      db[i] = -gradient * y[i];
    }
  });
}

void maximum_backward(const float* dy, const float* a, const float* b, std::int64_t size, float* da,
                      float* db) noexcept {
  chosen_backward<greater_equal>(dy, a, b, size, da, db);
}

void minimum_backward(const float* dy, const float* a, const float* b, std::int64_t size, float* da,
                      float* db) noexcept {
  chosen_backward<less_equal>(dy, a, b, size, da, db);
}

void power_backward(const float* dy, const float* a, const float* b, const float* y,
                    std::int64_t size, float* da, float* db) noexcept {
  parallel_blocks(size, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      da[i] = dy[i] * (b[i] * std::pow(a[i], b[i] - 1.0F));
      db[i] = a[i] > 0.0F ? dy[i] * y[i] * std::log(a[i]) : 0.0F;
    }
  });
}

Comparison comparison_named(const std::string& name) {
  if (name == "equal") return compare<equal>;
  if (name == "not_equal") return compare<not_equal>;
  if (name == "less") return compare<less>;
  if (name == "less_equal") return compare<less_equal>;
  if (name == "greater") return compare<greater>;
  if (name == "greater_equal") return compare<greater_equal>;
  return nullptr;
}

void where_forward(const std::uint8_t* condition, const void* a, const void* b, std::int64_t size,
                   std::int64_t item_bytes, void* y) noexcept {
  if (item_bytes == 1) select<std::uint8_t>(condition, a, b, size, y);
  if (item_bytes == 2) select<std::uint16_t>(condition, a, b, size, y);
  if (item_bytes == 4) select<std::uint32_t>(condition, a, b, size, y);
  if (item_bytes == 8) select<std::uint64_t>(condition, a, b, size, y);
}

void where_backward(const float* dy, const std::uint8_t* condition, std::int64_t size, float* da,
                    float* db) noexcept {
  parallel_blocks(size, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      da[i] = condition[i] != 0 ? dy[i] : 0.0F;
      db[i] = condition[i] != 0 ? 0.0F : dy[i];
    }
  });
}

}  // namespace minicnn
