#pragma once

#include <cstdint>
#include <vector>

#include "kernels/conv2d/geometry.hpp"

namespace minicnn {

// The transformed weights of a convolution that runs again and again with the same ones. With them
// are kept the weights that they come from: a comparison bit by bit, which costs next to nothing
// beside the transform, says whether they still hold, whoever has changed the weights and how.
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
  bool are_of(const float* w) const noexcept;  // bit by bit

  std::vector<float> w_, memory_;
  float* u_;  // in memory_, on a cache line
  bool made_ = false;
};

}  // namespace minicnn
