#include "kernels/conv2d/weight_cache.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "core/blocks.hpp"
#include "core/cancellation.hpp"
#include "kernels/conv2d/winograd/winograd.hpp"

namespace minicnn {
namespace {

thread_local std::uint64_t current_version = 0;

}  // namespace

ScopedWeightsVersion::ScopedWeightsVersion(std::uint64_t version) noexcept {
  current_version = version;
}

ScopedWeightsVersion::~ScopedWeightsVersion() { current_version = 0; }

TransformedWeights::TransformedWeights(const Conv2D& conv)
    : w_(std::size_t(conv.weights())),
      u_(std::size_t(winograd_weights_size(conv)) * sizeof(float)) {}

bool TransformedWeights::is_current(const float* w) const noexcept {
  return valid_ && ((version_ != 0 && version_ == current_version) || is_copy_of(w));
}

bool TransformedWeights::is_copy_of(const float* w) const noexcept {
  std::atomic<bool> same{true};
  parallel_blocks(std::int64_t(w_.size()), [&](std::int64_t begin, std::int64_t end) {
    const std::size_t bytes = std::size_t(end - begin) * sizeof(float);
    if (std::memcmp(w_.data() + begin, w + begin, bytes) != 0) same = false;
  });
  return same;
}

const float* TransformedWeights::get(const Conv2D& conv, const float* w) noexcept {
  auto* u = reinterpret_cast<float*>(u_.data());
  if (!is_current(w)) {
    std::copy_n(w, w_.size(), w_.data());
    winograd_transform_weights(conv, w, u);
    valid_ = true;
  }
  version_ = current_version;
  // A cancelled thread has skipped part of the comparison or of the transform.
  const Cancellation* cancellation = Cancellation::of_this_thread();
  if (cancellation != nullptr && cancellation->cancelled()) valid_ = false;
  return u;
}

std::shared_ptr<TransformedWeights> TransformedWeightCache::of(const Conv2D& conv, const float* w) {
  for (auto i = entries_.begin(); i != entries_.end();) {
    i = i->second.expired() ? entries_.erase(i) : ++i;
  }
  std::weak_ptr<TransformedWeights>& entry = entries_[{w, conv.window.kh, conv.x.c, conv.filters}];
  std::shared_ptr<TransformedWeights> weights = entry.lock();
  if (weights == nullptr) entry = weights = std::make_shared<TransformedWeights>(conv);
  return weights;
}

std::size_t TransformedWeightCache::size() const {
  return std::size_t(std::count_if(entries_.begin(), entries_.end(),
                                   [](const auto& entry) { return !entry.second.expired(); }));
}

}  // namespace minicnn
