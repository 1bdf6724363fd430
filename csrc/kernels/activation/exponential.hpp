#pragma once

#include <cstdint>
#include <cstring>

// The anonymous namespace keeps the copy of each file separate, as files are compiled for different
// instruction sets.

namespace minicnn {
namespace {

// e^x as scale + scale * excess: scale is a power of 2, excess lies between -0.3 and 0.42.
struct Exponential {
  double scale, excess;
};

// Splits x = k ln 2 + r with |r| <= ln(2) / 2; then scale = 2^k and excess = e^r - 1. The functions
// below are correct to 0.51 units in the last place of a float. There is no branch and no call, so
// the compiler computes several values at once. Beyond -104 and 89, e^x is 0 and infinity as a
// float. NaN stays NaN.
inline Exponential split_exponential(double x) {
  constexpr double kInverseLog2 = 1.4426950408889634, kLog2 = 0.6931471805599453;
  constexpr double kMagic = 6755399441055744.0;  // 1.5 * 2^52: to add it rounds to an integer
  x = x < -104.0 ? -104.0 : x;
  x = x > 89.0 ? 89.0 : x;
  const double shifted = x * kInverseLog2 + kMagic;
  const double r = x - (shifted - kMagic) * kLog2;
  // (e^r - 1) / r, to 3e-10: interpolated at Chebyshev's points between -ln(2) / 2 and ln(2) / 2.
  double q = 0.00019907571718871437;
  q = q * r + 0.0013941110923876734;
  q = q * r + 0.008333283534399848;
  q = q * r + 0.041666352859389764;
  q = q * r + 0.16666666786327852;
  q = q * r + 0.5000000047128984;
  q = q * r + 0.9999999999955078;
  std::int64_t bits;  // the integer k is in the lowest bits
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = static_cast<std::int64_t>((static_cast<std::uint64_t>(bits) + 1023) << 52);
  double scale;
  std::memcpy(&scale, &bits, sizeof scale);
  return {scale, r * q};
}

// Returns e^x.
inline double exponential(double x) {
  const Exponential e = split_exponential(x);
  return e.scale + e.scale * e.excess;
}

// Returns e^x - 1, which keeps its digits where x is near 0.
inline double exponential_minus_1(double x) {
  const Exponential e = split_exponential(x);
  return (e.scale - 1.0) + e.scale * e.excess;
}

// Returns log(1 + e^-|x|), which is what softplus and the binary cross-entropy add to max(x, 0).
inline double log_1_plus_exponential(double x) {
  // log(1 + u) = 2 artanh(u / (2 + u)), and artanh(s) / s is a polynomial in s^2, to 2e-10:
  // interpolated at Chebyshev's points between 0 and 1/9.
  const double u = exponential(x < 0.0 ? x : -x), s = u / (2.0 + u), t = s * s;
  double q = 0.12196953937717962;
  q = q * t + 0.10699280288012462;
  q = q * t + 0.1431010370001993;
  q = q * t + 0.19999355623647763;
  q = q * t + 0.33333339513212895;
  q = q * t + 0.9999999999045033;
  return 2.0 * s * q;
}

}  // namespace
}  // namespace minicnn
