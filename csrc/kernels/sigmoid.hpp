#pragma once

#include <cmath>

namespace minicnn {

// Returns 1 / (1 + e^-x), computed from the exponential that cannot overflow. The error is at most
// 2 units in the last place, since the sum and the quotient are not rounded to float32.
inline float sigmoid(float x) {
  const double e = double(std::exp(-std::fabs(x)));
  return float((x >= 0.0F ? 1.0 : e) / (1.0 + e));
}

}  // namespace minicnn
