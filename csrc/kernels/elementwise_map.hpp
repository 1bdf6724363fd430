#pragma once

#include <cstdint>

#include "core/blocks.hpp"

namespace minicnn {

// y[i] = f(a[i], ...) for i in [0, size). y may be an array that is read.
template <class F, class... T>
void map(std::int64_t size, float* y, F f, const T*... reads) noexcept {
  parallel_blocks(size, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) y[i] = f(reads[i]...);
  });
}

}  // namespace minicnn
