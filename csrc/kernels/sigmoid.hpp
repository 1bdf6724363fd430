#pragma once

#include <cmath>

namespace minicnn {

// 1 / (1 + e^-x), from the exponential that cannot overflow.
inline float sigmoid(float x) {
  const float e = std::exp(-std::fabs(x));
  return (x >= 0.0F ? 1.0F : e) / (1.0F + e);
}

}  // namespace minicnn
