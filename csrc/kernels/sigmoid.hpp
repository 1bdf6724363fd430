#pragma once

#include <cmath>

namespace minicnn {

// 1 / (1 + e^-x), from the exponential that cannot overflow; within 2 units in the last place
// because the sum and the quotient are not rounded to float32.
inline float sigmoid(float x) {
  const double e = double(std::exp(-std::fabs(x)));
  return float((x >= 0.0F ? 1.0 : e) / (1.0 + e));
}

}  // namespace minicnn
