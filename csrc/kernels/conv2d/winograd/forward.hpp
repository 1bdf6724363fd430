#pragma once

#include <cstdint>

#include "kernels/conv2d/winograd/products.hpp"

namespace minicnn {

// y = the convolution of what `reader` reads, plus b; with `relu`, 0 where that is negative. If
// there is a relu_mask, which has the layout of y and may be y itself, y is 0 where the mask is not
// positive. This computes the forward pass and, from dy with rotated weights, the gradient of the
// input.
class WinogradForward {
 public:
  WinogradForward(const Conv2D& conv, const SquareReader& reader, const float* u, const float* b,
                  bool relu, const float* relu_mask, float* y, ScratchAllocator& allocator);

  void run() const;

 private:
  void write(const TilePosition& at, std::int64_t filter, WinogradSquare& square,
             float* patch) const;

  Conv2D conv_;
  const float* b_;
  bool relu_;
  const float* relu_mask_;
  float* y_;
  bool stream_;
  TileGrid grid_;
  const WinogradTransforms& transforms_;
  WinogradProducts products_;
  std::int64_t columns_;  // of a slice
  float* patches_;        // (workers, 4, 4, columns)
};

}  // namespace minicnn
