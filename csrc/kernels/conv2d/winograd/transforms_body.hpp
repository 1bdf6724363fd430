#pragma once

#include "kernels/conv2d/winograd/transforms.hpp"

// The matrices of Winograd's algorithm. Included by one file per instruction set, after its vector
// types, in an anonymous namespace for the reason that gemm/micro_body.hpp gives.
//
// With n points t, M(x) is the product of all x - t; the point infinity stands for the leading
// coefficient:
//   B: row t holds the coefficients of M(x) / (x - t); infinity's row those of M(x)
//   G: row t is 1, t, t^2, ... divided by M'(t); infinity's row selects the last tap
//   A: row i holds the i-th powers of the points; infinity adds to the last row only
// The points 0, +-p, +-q, ... come in pairs. So M(x) = x (x^2 - p^2) (x^2 - q^2) ..., and for every
// pair the even and the odd powers are computed once each, then added and subtracted.

namespace minicnn {
namespace {

// Polynomials of x^2, lowest power first: kAll is M(x) / x, kOthers[i] leaves out pair i. Pairs of
// points and their reciprocals keep the values, and so the rounding errors, small: a third to a
// half of the error of the common points +-1, +-2.
struct SixPoints {
  static constexpr int kPoints = 6, kPairs = 2;
  static constexpr double kPoint[] = {0.70710678118654752440, 1.41421356237309504880};
  static constexpr double kSquare[] = {0.5, 2};
  static constexpr float kAll[] = {1, -2.5F, 1};
  static constexpr float kOthers[][2] = {{-2, 1}, {-0.5F, 1}};
};

struct EightPoints {
  static constexpr int kPoints = 8, kPairs = 3;
  static constexpr double kPoint[] = {0.5, 1, 2};
  static constexpr double kSquare[] = {0.25, 1, 4};
  static constexpr float kAll[] = {-1, 5.25F, -5.25F, 1};
  static constexpr float kOthers[][3] = {{4, -5, 1}, {1, -4.25F, 1}, {0.25F, -1.25F, 1}};
};

template <class Points>
constexpr double power(int pair, int exponent) {
  double result = exponent % 2 == 0 ? 1 : Points::kPoint[pair];
  for (int i = 1; i < exponent; i += 2) result *= Points::kSquare[pair];
  return result;
}

// M'(t) = 2 t^2 (the other pairs' factors at t^2), the same for t and -t.
template <class Points>
constexpr double slope(int pair) {
  double others = 0;
  for (int i = Points::kPairs; i-- > 0;) {
    others = others * Points::kSquare[pair] + double(Points::kOthers[pair][i]);
  }
  return 2 * Points::kSquare[pair] * others;
}

// The polynomial of every second value from `d` on. The leading coefficient is 1.
template <int kCount>
[[gnu::always_inline]] inline Wide::V polynomial(const float* coefficients, const Wide::V* d) {
  Wide::V sum = d[2 * (kCount - 1)];
  for (int i = kCount - 1; i-- > 0;) {
    sum = Wide::multiply_add(Wide::broadcast(coefficients[i]), d[2 * i], sum);
  }
  return sum;
}

// B: from inputs to values.
template <class Points>
struct InputLine {
  static constexpr int kFrom = Points::kPoints, kTo = Points::kPoints;

  [[gnu::always_inline]] static void run(const Wide::V* d, Wide::V* value) {
    value[0] = polynomial<Points::kPairs + 1>(Points::kAll, d);
#pragma GCC unroll 4
    for (int i = 0; i < Points::kPairs; ++i) {
      const float t = float(Points::kPoint[i]);
      const Wide::V even = polynomial<Points::kPairs>(Points::kOthers[i], d + 2);
      const Wide::V odd = polynomial<Points::kPairs>(Points::kOthers[i], d + 1);
      value[1 + 2 * i] = Wide::multiply_add(Wide::broadcast(t), odd, even);
      value[2 + 2 * i] = Wide::multiply_add(Wide::broadcast(-t), odd, even);
    }
    value[kTo - 1] = polynomial<Points::kPairs + 1>(Points::kAll, d + 1);
  }
};

// G: from taps to values.
template <class Points, int kTaps>
struct KernelLine {
  static constexpr int kFrom = kTaps, kTo = Points::kPoints;

  // The sum of t^k / M'(t) times tap k, over k = first, first + 2, ...
  [[gnu::always_inline]] static Wide::V sum(int pair, int first, const Wide::V* tap) {
    const double share = 1 / slope<Points>(pair);
    Wide::V result = Wide::broadcast(float(power<Points>(pair, first) * share)) * tap[first];
#pragma GCC unroll 4
    for (int k = first + 2; k < kTaps; k += 2) {
      const float factor = float(power<Points>(pair, k) * share);
      result = Wide::multiply_add(Wide::broadcast(factor), tap[k], result);
    }
    return result;
  }

  [[gnu::always_inline]] static void run(const Wide::V* tap, Wide::V* value) {
    value[0] = Wide::broadcast(1 / Points::kAll[0]) * tap[0];
#pragma GCC unroll 4
    for (int i = 0; i < Points::kPairs; ++i) {
      const Wide::V even = sum(i, 0, tap), odd = sum(i, 1, tap);
      value[1 + 2 * i] = even + odd;
      value[2 + 2 * i] = even - odd;
    }
    value[kTo - 1] = tap[kTaps - 1];
  }
};

// A: from values to outputs.
template <class Points, int kOutputs>
struct OutputLine {
  static constexpr int kFrom = Points::kPoints, kTo = kOutputs;

  [[gnu::always_inline]] static void run(const Wide::V* value, Wide::V* output) {
    Wide::V sums[Points::kPairs], differences[Points::kPairs];
#pragma GCC unroll 4
    for (int i = 0; i < Points::kPairs; ++i) {
      sums[i] = value[1 + 2 * i] + value[2 + 2 * i];
      differences[i] = value[1 + 2 * i] - value[2 + 2 * i];
    }
#pragma GCC unroll 8
    for (int k = 0; k < kOutputs; ++k) {
      const Wide::V* pairs = k % 2 == 0 ? sums : differences;
      Wide::V sum = Wide::broadcast(float(power<Points>(0, k))) * pairs[0];
#pragma GCC unroll 4
      for (int i = 1; i < Points::kPairs; ++i) {
        sum = Wide::multiply_add(Wide::broadcast(float(power<Points>(i, k))), pairs[i], sum);
      }
      if (k == 0) sum = sum + value[0];
      if (k == kOutputs - 1) sum = sum + value[kFrom - 1];
      output[k] = sum;
    }
  }
};

// Transforms one vector of channels: columns, then rows. `load` and `store` take an offset in
// floats.
template <class Line, class Load, class Store>
[[gnu::always_inline]] inline void transform_lanes(const WinogradSquare& s, const Load& load,
                                                   const Store& store) {
  Wide::V between[Line::kTo][Line::kFrom];
  // Unrolled, these two loops would need more addresses than there are registers.
#pragma GCC unroll 1
  for (int j = 0; j < Line::kFrom; ++j) {
    Wide::V from[Line::kFrom], to[Line::kTo];
#pragma GCC unroll 8
    for (int i = 0; i < Line::kFrom; ++i) from[i] = load(i * s.from_row + j * s.from_column);
    Line::run(from, to);
#pragma GCC unroll 8
    for (int i = 0; i < Line::kTo; ++i) between[i][j] = to[i];
  }
#pragma GCC unroll 1
  for (int i = 0; i < Line::kTo; ++i) {
    Wide::V to[Line::kTo];
    Line::run(between[i], to);
#pragma GCC unroll 8
    for (int j = 0; j < Line::kTo; ++j) store(i * s.to_row + j * s.to_column, to[j]);
  }
}

enum class Extra { none, relu_mask, bias, stream };

// Transforms the channels from `c` on: a full vector, or with kMasked the first `lanes` lanes.
template <class Line, Extra kExtra, bool kMasked>
[[gnu::always_inline]] inline void transform_channels(const WinogradSquare& s, std::int64_t c,
                                                      int lanes) {
  const Wide::Mask mask = Wide::mask(lanes);
  const auto read = [&](const float* p) { return kMasked ? Wide::load(p, mask) : Wide::load(p); };
  const auto write = [&](float* p, Wide::V v) {
    kMasked ? Wide::store(p, v, mask) : Wide::store(p, v);
  };
  const auto load = [&](std::int64_t at) {
    const Wide::V value = read(s.from + c + at);
    if constexpr (kExtra != Extra::relu_mask) return value;
    return read(s.relu_mask + c + at) > Wide::V{} ? value : Wide::V{};
  };
  const Wide::V bias = s.bias == nullptr ? Wide::V{} : read(s.bias + c);
  const Wide::V floor = Wide::broadcast(s.relu ? 0.0F : -__builtin_inff());
  transform_lanes<Line>(s, load, [&](std::int64_t at, Wide::V value) {
    if constexpr (kExtra == Extra::bias || kExtra == Extra::stream) {
      value = value + bias;
      value = value <= floor ? floor : value;  // NaN stays NaN: its comparison is false
    }
    if constexpr (kExtra == Extra::stream && !kMasked) {
      Wide::stream(s.to + c + at, value);
    } else {
      write(s.to + c + at, value);
    }
  });
}

template <class Line, Extra kExtra>
void transform(const WinogradSquare& square) {
  const WinogradSquare s = square;  // a copy, which stores cannot change
  std::int64_t c = 0;
  for (; c + Wide::kLanes <= s.channels; c += Wide::kLanes) {
    transform_channels<Line, kExtra, false>(s, c, Wide::kLanes);
  }
  if (c == s.channels) return;
  transform_channels<Line, kExtra, true>(s, c, int(s.channels - c));
}

template <class Line>
void transform_relu_masked(const WinogradSquare& s) {
  s.relu_mask == nullptr ? transform<Line, Extra::none>(s) : transform<Line, Extra::relu_mask>(s);
}

template <class Line>
void transform_outputs(const WinogradSquare& s) {
  s.stream ? transform<Line, Extra::stream>(s) : transform<Line, Extra::bias>(s);
}

template <class Points, int kKernel>
constexpr WinogradTransforms transforms_of() {
  return {kKernel,
          Points::kPoints,
          transform_relu_masked<InputLine<Points>>,
          transform<KernelLine<Points, kKernel>, Extra::none>,
          transform_outputs<OutputLine<Points, kWinogradOutputs>>,
          transform_relu_masked<KernelLine<Points, kWinogradOutputs>>,
          transform<OutputLine<Points, kKernel>, Extra::none>};
}

}  // namespace
}  // namespace minicnn
