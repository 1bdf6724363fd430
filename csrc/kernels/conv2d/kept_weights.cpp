#include "kernels/conv2d/kept_weights.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "core/blocks.hpp"
#include "core/streaming.hpp"
#include "kernels/conv2d/winograd.hpp"

namespace minicnn {
KeptWeights::KeptWeights(const Conv2D& conv)
    : w_(std::size_t(conv.weights())),
      memory_(std::size_t(winograd_weights_size(conv) + kCacheLine)),
      u_(memory_.data()) {
  while (!is_on_cache_line(u_)) ++u_;
}

bool KeptWeights::are_of(const float* w) const noexcept {
  std::atomic<bool> same{true};
  parallel_blocks(std::int64_t(w_.size()), [&](std::int64_t begin, std::int64_t end) {
    const std::size_t bytes = std::size_t(end - begin) * sizeof(float);
    if (std::memcmp(w_.data() + begin, w + begin, bytes) != 0) same = false;
  });
  return same;
}

const float* KeptWeights::transformed(const Conv2D& conv, const float* w) noexcept {
  if (!made_ || !are_of(w)) {
    std::copy_n(w, w_.size(), w_.data());
    winograd_transform_weights(conv, w, u_);
    made_ = true;
  }
  return u_;
}

}  // namespace minicnn
