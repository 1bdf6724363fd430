#include "kernels/dropout.hpp"

#include <algorithm>

#include "core/blocks.hpp"
#include "core/philox.hpp"

namespace minicnn {

static_assert(kBlock % 4 == 0, "a piece of work begins with a whole Philox block");

void dropout(const float* x, std::int64_t size, const Dropout& rule, const std::uint32_t* stream,
             float* y) noexcept {
  const PhiloxKey key{stream[0], stream[1] ^ stream[3]};
  const std::uint32_t step = stream[2];
  parallel_blocks(size, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t first = begin; first < end; first += 4) {
      const auto block = std::uint64_t(first) / 4;
      const PhiloxCounter words =
          philox4x32({std::uint32_t(block), std::uint32_t(block >> 32), rule.purpose, step}, key);
      const std::int64_t last = std::min(end, first + 4);
      for (std::int64_t i = first; i < last; ++i) {
        const bool kept = words[std::size_t(i - first)] >> 8 >= rule.threshold;
        y[i] = kept ? x[i] * rule.scale : 0.0F;
      }
    }
  });
}

}  // namespace minicnn
