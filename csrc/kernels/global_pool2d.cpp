#include "kernels/global_pool2d.hpp"

#include <algorithm>

#include "core/blocks.hpp"

namespace minicnn {

void global_max_pool2d_forward(const float* x, const Shape4& xs, float* y,
                               std::int32_t* argmax) noexcept {
  const std::int64_t c = xs.c, pixels = xs.h * xs.w;
  parallel_rows(xs.n, xs.image(), [&](std::int64_t n, int) {
    const float* image = x + n * xs.image();
    float* best = y + n * c;
    std::int32_t* position = argmax + n * c;
    std::copy_n(image, c, best);
    std::fill_n(position, c, 0);
    for (std::int64_t pixel = 1; pixel < pixels; ++pixel) {
      for (std::int64_t i = 0; i < c; ++i) {
        const float value = image[pixel * c + i];
        const bool is_new_maximum =
            !(value <= best[i]) & (best[i] == best[i]);  // greater, or the first NaN
        best[i] = is_new_maximum ? value : best[i];
        position[i] = is_new_maximum ? std::int32_t(pixel) : position[i];
      }
    }
  });
}

void global_max_pool2d_backward(const float* dy, const std::int32_t* argmax, const Shape4& xs,
                                float* dx) noexcept {
  parallel_rows(xs.n, xs.image(), [&](std::int64_t n, int) {
    float* image = dx + n * xs.image();
    std::fill_n(image, xs.image(), 0.0F);
    for (std::int64_t i = 0; i < xs.c; ++i) {
      const std::int64_t position = argmax[n * xs.c + i];
      if (position >= 0 && position < xs.h * xs.w) image[position * xs.c + i] = dy[n * xs.c + i];
    }
  });
}

std::size_t global_average_pool2d_scratch(std::int64_t c) {
  return std::size_t(max_workers()) * std::size_t(c) * sizeof(double);
}

void global_average_pool2d_forward(const float* x, const Shape4& xs, float* y,
                                   char* scratch) noexcept {
  const std::int64_t c = xs.c, pixels = xs.h * xs.w;
  parallel_rows(xs.n, xs.image(), [&](std::int64_t n, int worker) {
    double* sums = reinterpret_cast<double*>(scratch) + worker * c;
    std::fill_n(sums, c, 0.0);
    const float* image = x + n * xs.image();
    for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
      for (std::int64_t i = 0; i < c; ++i) sums[i] += double(image[pixel * c + i]);
    }
    for (std::int64_t i = 0; i < c; ++i) y[n * c + i] = float(sums[i] / double(pixels));
  });
}

void global_average_pool2d_backward(const float* dy, const Shape4& xs, float* dx) noexcept {
  const std::int64_t c = xs.c, pixels = xs.h * xs.w;
  parallel_rows(xs.n * pixels, c, [&](std::int64_t row, int) {
    const float* gradient = dy + row / pixels * c;
    for (std::int64_t i = 0; i < c; ++i) dx[row * c + i] = gradient[i] / float(pixels);
  });
}

}  // namespace minicnn
