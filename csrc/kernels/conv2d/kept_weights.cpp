#include "kernels/conv2d/kept_weights.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "core/blocks.hpp"
#include "core/streaming.hpp"
#include "core/watch.hpp"
#include "kernels/conv2d/winograd.hpp"

namespace minicnn {
namespace {

thread_local std::uint64_t current_version = 0;

}  // namespace

WeightsVersion::WeightsVersion(std::uint64_t version) noexcept { current_version = version; }

WeightsVersion::~WeightsVersion() { current_version = 0; }

KeptWeights::KeptWeights(const Conv2D& conv)
    : w_(std::size_t(conv.weights())),
      memory_(std::size_t(winograd_weights_size(conv) + kCacheLine)),
      u_(memory_.data()) {
  while (!is_on_cache_line(u_)) ++u_;
}

bool KeptWeights::hold_for(const float* w) const noexcept {
  return made_ && ((version_ != 0 && version_ == current_version) || are_of(w));
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
  if (!hold_for(w)) {
    std::copy_n(w, w_.size(), w_.data());
    winograd_transform_weights(conv, w, u_);
    made_ = true;
  }
  version_ = current_version;
  const Watch* watch = Watch::of_this_thread();
  if (watch != nullptr && watch->given_up()) made_ = false;  // compared or made in part only
  return u_;
}

std::shared_ptr<KeptWeights> KeptWeightsStore::of(const Conv2D& conv, const float* w) {
  for (auto i = known_.begin(); i != known_.end();) i = i->second.expired() ? known_.erase(i) : ++i;
  std::weak_ptr<KeptWeights>& known = known_[{w, conv.window.kh, conv.x.c, conv.filters}];
  std::shared_ptr<KeptWeights> kept = known.lock();
  if (kept == nullptr) known = kept = std::make_shared<KeptWeights>(conv);
  return kept;
}

std::size_t KeptWeightsStore::size() const {
  return std::size_t(std::count_if(known_.begin(), known_.end(),
                                   [](const auto& entry) { return !entry.second.expired(); }));
}

}  // namespace minicnn
