#pragma once

#include <cstddef>
#include <cstdint>

namespace minicnn {

// y = x * scale^-beta, where scale = k + alpha / size * (the sum of squares of `size` neighboring
// channels).
struct LocalResponseNorm {
  std::int64_t size;  // >= 1
  double alpha, beta, k;

  std::int64_t before() const { return (size - 1) / 2; }
  std::int64_t after() const { return size - 1 - before(); }
};

// The scratch of both kernels, in bytes, aligned for double.
std::size_t local_response_norm_scratch(std::int64_t c);

// x, y, scale, dy, dx (rows, c); y, scale and dx are written.
void local_response_norm_forward(const float* x, std::int64_t rows, std::int64_t c,
                                 const LocalResponseNorm& norm, float* y, float* scale,
                                 char* scratch) noexcept;

struct LocalResponseNormSaved {
  const float *x, *y, *scale;
};
void local_response_norm_backward(const float* dy, const LocalResponseNormSaved& saved,
                                  std::int64_t rows, std::int64_t c, const LocalResponseNorm& norm,
                                  float* dx, char* scratch) noexcept;

}  // namespace minicnn
