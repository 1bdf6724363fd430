#pragma once

#include <cmath>

#include "kernels/activation/exponential.hpp"

namespace minicnn {
namespace {

// Returns 1 / (1 + e^-x), computed from the exponential that cannot overflow. The error is at most
// 1 unit in the last place, since only the result is rounded to float32.
inline float sigmoid(float x) {
  const double z = double(x), e = exponential(-std::fabs(z));
  return float((z >= 0.0 ? 1.0 : e) / (1.0 + e));
}

}  // namespace
}  // namespace minicnn
