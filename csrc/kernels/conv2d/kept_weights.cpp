#include "kernels/conv2d/kept_weights.hpp"

#include <algorithm>
#include <cstring>

#include "core/streaming.hpp"
#include "kernels/conv2d/winograd.hpp"

namespace minicnn {

KeptWeights::KeptWeights(const Conv2D& conv)
    : w_(std::size_t(conv.weights())),
      memory_(std::size_t(winograd_weights_size(conv) + kCacheLine)),
      u_(memory_.data()) {
  while (!is_on_cache_line(u_)) ++u_;
}

const float* KeptWeights::transformed(const Conv2D& conv, const float* w) noexcept {
  if (!made_ || std::memcmp(w_.data(), w, w_.size() * sizeof(float)) != 0) {
    std::copy_n(w, w_.size(), w_.data());
    winograd_transform_weights(conv, w, u_);
    made_ = true;
  }
  return u_;
}

}  // namespace minicnn
