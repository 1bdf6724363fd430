#include "kernels/clipping.hpp"

#include <cmath>

#include "core/blocks.hpp"

namespace minicnn {
namespace {

// Eight partial sums, so that an addition need not wait for the one before.
double sum_of_squares(const float* a, std::int64_t size) {
  constexpr std::int64_t lanes = 8;
  double sums[lanes] = {};
  std::int64_t i = 0;
  for (; i + lanes <= size; i += lanes) {
    for (std::int64_t j = 0; j < lanes; ++j) sums[j] += double(a[i + j]) * double(a[i + j]);
  }
  for (; i < size; ++i) sums[i % lanes] += double(a[i]) * double(a[i]);
  double total = 0.0;
  for (const double sum : sums) total += sum;
  return total;
}

}  // namespace

void clip_by_value(float* dw, std::int64_t size, float limit) noexcept {
  parallel_blocks(size, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      dw[i] = dw[i] < -limit ? -limit : dw[i] > limit ? limit : dw[i];
    }
  });
}

void clip_by_norm(float* dw, std::int64_t size, double squared_norm, double limit) noexcept {
  const double norm = std::sqrt(squared_norm);
  const auto factor =
      float(limit / (norm <= limit ? limit : norm));  // if the norm is NaN, so is the factor
  parallel_blocks(size, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) dw[i] *= factor;
  });
}

std::size_t squared_norm_scratch(std::int64_t size) {
  return std::size_t(ceil_div(size, kBlockFloats)) * sizeof(double);
}

double squared_norm(const float* dw, std::int64_t size, char* scratch) noexcept {
  auto* partials = reinterpret_cast<double*>(scratch);
  parallel_blocks(size, [=](std::int64_t begin, std::int64_t end) {
    partials[begin / kBlockFloats] = sum_of_squares(dw + begin, end - begin);
  });
  double total = 0.0;
  for (std::int64_t i = 0; i < ceil_div(size, kBlockFloats); ++i) total += partials[i];
  return total;
}

}  // namespace minicnn
