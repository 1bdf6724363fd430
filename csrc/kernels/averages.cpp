#include "kernels/averages.hpp"

#include "core/blocks.hpp"

namespace minicnn {

void add_gradient(float* sum, const float* dw, std::int64_t size) noexcept {
  parallel_blocks(size, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) sum[i] += dw[i];
  });
}

void mean_gradient(float* dw, const float* sum, std::int64_t size, float batches) noexcept {
  parallel_blocks(size, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) dw[i] = (dw[i] + sum[i]) / batches;
  });
}

void moving_average(float* average, const float* w, std::int64_t size, float old,
                    float fresh) noexcept {
  parallel_blocks(size, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) average[i] = old * average[i] + fresh * w[i];
  });
}

}  // namespace minicnn
