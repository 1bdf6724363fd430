#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "core/memory.hpp"
#include "kernels/conv2d/geometry.hpp"

namespace minicnn {

// While alive, the kernels of this thread may assume that weights with the same non-zero version
// are unchanged. Version 0 promises nothing.
class ScopedWeightsVersion {
 public:
  explicit ScopedWeightsVersion(std::uint64_t version) noexcept;
  ~ScopedWeightsVersion();
  ScopedWeightsVersion(const ScopedWeightsVersion&) = delete;
  ScopedWeightsVersion& operator=(const ScopedWeightsVersion&) = delete;
};

// The transformed weights of a convolution that runs many times, and a copy of the weights that
// they were computed from. If the version does not tell whether the weights have changed, they are
// compared with the copy bit by bit, so every change is noticed, however it was made.
class TransformedWeights {
 public:
  // Allocates the memory for what conv2d_forward derives from w (KH, KW, C, filters), so that no
  // memory is allocated while a kernel runs.
  explicit TransformedWeights(const Conv2D& conv);
  TransformedWeights(const TransformedWeights&) = delete;
  TransformedWeights& operator=(const TransformedWeights&) = delete;

  // Returns u as computed by winograd_transform_weights, computed again only if w has changed.
  const float* get(const Conv2D& conv, const float* w) noexcept;

 private:
  bool is_current(const float* w) const noexcept;
  bool is_copy_of(const float* w) const noexcept;

  std::vector<float> w_;  // the copy
  Memory u_;
  bool valid_ = false;
  std::uint64_t version_ = 0;  // of the weights when u_ was last known to be current
};

// The TransformedWeights of programs that run in turn: calls that read the same weights share them.
// Entries that no call uses any more are removed.
class TransformedWeightCache {
 public:
  std::shared_ptr<TransformedWeights> of(const Conv2D& conv, const float* w);
  std::size_t size() const;  // entries that are in use by a call

 private:
  using Key = std::tuple<const float*, std::int64_t, std::int64_t, std::int64_t>;
  std::map<Key, std::weak_ptr<TransformedWeights>> entries_;
};

}  // namespace minicnn
