#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "kernels/conv2d/geometry.hpp"

namespace minicnn {

// While one lives, this thread's kernels may take all weights of the same version for the same. 0
// is no version.
class WeightsVersion {
 public:
  explicit WeightsVersion(std::uint64_t version) noexcept;
  ~WeightsVersion();
  WeightsVersion(const WeightsVersion&) = delete;
  WeightsVersion& operator=(const WeightsVersion&) = delete;
};

// The transformed weights of a convolution that runs again and again with the same ones. With them
// are kept the weights that they come from: where the version leaves it open, a comparison bit by
// bit says whether they still hold, whoever has changed the weights and how.
class KeptWeights {
 public:
  // Memory for what conv2d_forward derives from w (KH, KW, C, filters); it is taken here and not
  // while a kernel runs.
  explicit KeptWeights(const Conv2D& conv);
  KeptWeights(const KeptWeights&) = delete;
  KeptWeights& operator=(const KeptWeights&) = delete;

  // u as winograd_transform_weights makes it.
  const float* transformed(const Conv2D& conv, const float* w) noexcept;

 private:
  bool hold_for(const float* w) const noexcept;
  bool are_of(const float* w) const noexcept;  // bit by bit

  std::vector<float> w_, memory_;
  float* u_;  // in memory_, on a cache line
  bool made_ = false;
  std::uint64_t version_ = 0;  // at which they were last found to hold
};

// The KeptWeights of programs that run in turn: calls that read the same weights share them. Those
// that no call has any more are gone.
class KeptWeightsStore {
 public:
  std::shared_ptr<KeptWeights> of(const Conv2D& conv, const float* w);
  std::size_t size() const;  // those that some call has

 private:
  using Key = std::tuple<const float*, std::int64_t, std::int64_t, std::int64_t>;
  std::map<Key, std::weak_ptr<KeptWeights>> known_;
};

}  // namespace minicnn
