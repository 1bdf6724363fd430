#include "kernels/elementwise.hpp"

#include <cstring>

#include "core/blocks.hpp"
#include "kernels/elementwise_map.hpp"
#include "kernels/sum_rows.hpp"

namespace minicnn {

void add(const float* a, const float* b, std::int64_t size, float* y) noexcept {
  map(size, y, [](float u, float v) { return u + v; }, a, b);
}

void multiply(const float* a, const float* b, std::int64_t size, float* y) noexcept {
  map(size, y, [](float u, float v) { return u * v; }, a, b);
}

void rescale(const float* x, std::int64_t size, float scale, float offset, float* y) noexcept {
  map(size, y, [=](float v) { return v * scale + offset; }, x);
}

void rescale(const std::uint8_t* x, std::int64_t size, float scale, float offset,
             float* y) noexcept {
  map(size, y, [=](std::uint8_t v) { return float(v) * scale + offset; }, x);
}

void scale(const float* x, std::int64_t size, float factor, float* y) noexcept {
  map(size, y, [=](float v) { return v * factor; }, x);
}

void bias_forward(const float* x, const float* b, std::int64_t rows, std::int64_t c,
                  float* y) noexcept {
  parallel_rows(rows, c, [=](std::int64_t row, int) {
    for (std::int64_t i = 0; i < c; ++i) y[row * c + i] = x[row * c + i] + b[i];
  });
}

std::size_t bias_scratch(std::int64_t rows, std::int64_t c) {
  return (std::size_t(c) + partial_sums(rows, c, c)) * sizeof(double);
}

void bias_backward_bias(const float* dy, std::int64_t rows, std::int64_t c, float* db,
                        char* scratch) noexcept {
  auto* sums = reinterpret_cast<double*>(scratch);
  const auto add_row = [=](std::int64_t row, double* sum) {
    for (std::int64_t i = 0; i < c; ++i) sum[i] += double(dy[row * c + i]);
  };
  sum_rows(rows, c, c, add_row, sums, sums + c);
  for (std::int64_t i = 0; i < c; ++i) db[i] = float(sums[i]);
}

void copy(const void* from, std::int64_t bytes, void* to) noexcept {
  if (from == to) return;
  const auto* source = static_cast<const char*>(from);
  auto* target = static_cast<char*>(to);
  constexpr auto block = kBlockFloats * std::int64_t(sizeof(float));
  parallel_blocks(
      bytes,
      [=](std::int64_t begin, std::int64_t end) {
        std::memcpy(target + begin, source + begin, std::size_t(end - begin));
      },
      block);
}

}  // namespace minicnn
