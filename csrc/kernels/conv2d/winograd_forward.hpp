#pragma once

#include <cstdint>

#include "kernels/conv2d/winograd_products.hpp"

namespace minicnn {

// y = the convolution of what `reader` reads, plus b, with relu 0 where that is negative, and where
// there is a gate, which lies as y does and may be y itself, 0 unless the gate is > 0. The forward
// pass, and for the input's gradient that of dy with turned weights.
class WinogradForward {
 public:
  WinogradForward(const Conv2D& conv, const SquareReader& reader, const float* u, const float* b,
                  bool relu, const float* gate, float* y, Carver& carver);

  void run() const;

 private:
  void write(const TilePlace& at, std::int64_t filter, WinogradSquare& square, float* patch) const;

  Conv2D conv_;
  const float* b_;
  bool relu_;
  const float* gate_;
  float* y_;
  bool stream_;
  TileGrid grid_;
  const WinogradTransforms& transforms_;
  WinogradProducts products_;
  std::int64_t columns_;  // of a slice
  float* patches_;        // (workers, 4, 4, columns)
};

}  // namespace minicnn
