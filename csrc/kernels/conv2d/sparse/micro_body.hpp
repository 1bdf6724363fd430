#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include "kernels/conv2d/sparse/micro.hpp"

// Included by one file per instruction set, which defines the vector type, in an anonymous
// namespace for the reason that gemm/micro_body.hpp gives.

namespace minicnn {
namespace {

// With fewer sums than this, each term of a sum would wait for the one before. Neighboring terms
// then go to separate sets of sums, which are added up at the end.
constexpr std::size_t kSumsInFlight = 8;

template <class Wide, std::size_t kRows, std::size_t kVectors>
void add_rows(const SparseSums& sums) {
  using V = typename Wide::V;
  constexpr std::size_t kSets = (kSumsInFlight + kRows * kVectors - 1) / (kRows * kVectors);
  constexpr std::int64_t kStep = kSets;
  const SparseSums s = sums;  // a copy, which stores to `out` cannot change
  const int last = int(s.columns) - int(kVectors - 1) * Wide::kLanes;
  V total[kSets][kRows][kVectors];
  const auto for_vectors = [&](auto body) {
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (std::size_t v = 0; v < kVectors; ++v) body(r, v);
    }
  };
  // The index of the next term is read before this one's values. If it were read after them, it
  // would wait for all their loads, and the next term for it (179 -> 201 GFLOP/s on AMD EPYC 9005,
  // 2026-11).
  std::int64_t next = 0;
  const auto add_term = [&](std::int64_t i, V(&to)[kRows][kVectors]) {
    const float* in = s.in + next;
    next = s.terms.indices[i + 1] * s.in_step;
    const V value = Wide::broadcast(s.terms.values[i]);
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 8
      for (std::size_t v = 0; v < kVectors; ++v) {
        to[r][v] = Wide::multiply_add(value, Wide::load(in + v * Wide::kLanes), to[r][v]);
      }
      in += s.in_row;
    }
  };

  for (std::int64_t list = 0; list < s.terms.count; ++list) {
    std::int64_t i = s.terms.begins[list];
    const std::int64_t end = s.terms.ends[list];
    if (i == end) continue;
    next = s.terms.indices[i] * s.in_step;
#pragma GCC unroll 8
    for (std::size_t set = 0; set < kSets; ++set) {
      for_vectors([&](std::size_t r, std::size_t v) { total[set][r][v] = Wide::broadcast(0); });
    }
    for (; i + kStep <= end; i += kStep) {
#pragma GCC unroll 8
      for (std::size_t set = 0; set < kSets; ++set) add_term(i + std::int64_t(set), total[set]);
    }
    for (; i < end; ++i) add_term(i, total[0]);
#pragma GCC unroll 8
    for (std::size_t set = 1; set < kSets; ++set) {
      for_vectors([&](std::size_t r, std::size_t v) {
        total[0][r][v] = total[0][r][v] + total[set][r][v];
      });
    }
    float* target = s.out + s.targets[list] * s.out_step;
    for_vectors([&](std::size_t r, std::size_t v) {
      float* out = target + std::int64_t(r) * s.out_row + v * Wide::kLanes;
      if (v + 1 < kVectors || last == Wide::kLanes) {
        Wide::store(out, Wide::load(out) + total[0][r][v]);
      } else {
        Wide::store(out, Wide::load(out, last) + total[0][r][v], last);
      }
    });
  }
}

using AddRows = void (*)(const SparseSums& sums);

template <class Wide, std::size_t kMaxSums, std::size_t kRows, std::size_t kVectors>
constexpr AddRows add_rows_if_they_fit() {
  if constexpr (kRows * kVectors <= kMaxSums) return add_rows<Wide, kRows, kVectors>;
  return nullptr;
}

template <class Wide, std::size_t kMaxSums, std::size_t... kShape>
constexpr std::array<AddRows, sizeof...(kShape)> add_rows_of(std::index_sequence<kShape...>) {
  constexpr std::size_t kSide = kMaxSparseCells;
  return {add_rows_if_they_fit<Wide, kMaxSums, kShape / kSide + 1, kShape % kSide + 1>()...};
}

template <class Wide, std::size_t kMaxSums>
void add_any(const SparseSums& sums, int rows) {
  static constexpr auto kByShape = add_rows_of<Wide, kMaxSums>(
      std::make_index_sequence<std::size_t(kMaxSparseCells * kMaxSparseCells)>());
  const std::int64_t vectors = (sums.columns + Wide::kLanes - 1) / Wide::kLanes;
  kByShape[std::size_t((rows - 1) * kMaxSparseCells + vectors - 1)](sums);
}

// Returns one gradient of each of `filters` filters after a ReLU: 0 where the ReLU clips.
template <class Wide>
typename Wide::V relu_gradient(const SparseGradient& g, std::int64_t at, int filters) {
  using V = typename Wide::V;
  const bool full = filters == Wide::kLanes;
  const auto load = [&](const float* p) { return full ? Wide::load(p) : Wide::load(p, filters); };
  const V dy = load(g.dy + at);
  if (g.y == nullptr) return dy;
  return load(g.y + at) > 0 ? dy : V{};
}

// One gradient of each of `filters` filters after a pooling, 0 if it belongs to no cell, and its
// cell.
template <class Wide>
struct PooledGradients {
  using V = typename Wide::V;
  using Int = typename Wide::Int;

  V value;
  Int cell;

  PooledGradients(const SparseGradient& g, std::int64_t at, int filters) {
    const bool full = filters == Wide::kLanes;
    cell = full ? Wide::widen(g.argmax + at) : Wide::widen(g.argmax + at, filters);
    const V dy = full ? Wide::load(g.dy + at) : Wide::load(g.dy + at, filters);
    value = cell < 4 ? dy : V{};
  }
};

template <class V, std::size_t... kLane>
V interleave_low(V a, V b, std::index_sequence<kLane...>) {
  return __builtin_shufflevector(a, b, int(kLane / 2 + kLane % 2 * sizeof...(kLane))...);
}

template <class V, std::size_t... kLane>
V interleave_high(V a, V b, std::index_sequence<kLane...>) {
  constexpr std::size_t kLanes = sizeof...(kLane);
  return __builtin_shufflevector(a, b, int((kLane + kLanes) / 2 + kLane % 2 * kLanes)...);
}

// Transposes a square of values. Each round rotates the binary address (row, column) by one digit.
template <std::size_t kLanes, class V>
void transpose_square(V (&rows)[kLanes]) {
  constexpr std::make_index_sequence<kLanes> kLane{};
#pragma GCC unroll 4
  for (std::size_t round = 1; round < kLanes; round *= 2) {
    V turned[kLanes];
#pragma GCC unroll 8
    for (std::size_t i = 0; i < kLanes / 2; ++i) {
      turned[2 * i] = interleave_low(rows[i], rows[i + kLanes / 2], kLane);
      turned[2 * i + 1] = interleave_high(rows[i], rows[i + kLanes / 2], kLane);
    }
#pragma GCC unroll 16
    for (std::size_t i = 0; i < kLanes; ++i) rows[i] = turned[i];
  }
}

// list_by_filter without a pooling: every pixel is a cell, and all filters have the same indices.
template <class Wide>
void list_pixels_by_filter(const SparseGradient& gradient, const TileWindows& pixels, int filters,
                           const ListWriter& lists, float* total) {
  using V = typename Wide::V;
  V sum{};
  for (std::int64_t first = 0; first < pixels.count; first += Wide::kLanes) {
    V values[Wide::kLanes];
    for (int i = 0; i < Wide::kLanes; ++i) {
      values[i] = V{};
      if (first + i >= pixels.count) continue;
      values[i] = relu_gradient<Wide>(gradient, pixels.gradients[first + i], filters);
      sum = sum + values[i];
    }
    transpose_square<Wide::kLanes>(values);
    typename Wide::Int indices;
    __builtin_memcpy(&indices, pixels.cells + first, sizeof indices);
    for (int f = 0; f < filters; ++f) {
      const std::int32_t end = lists.ends[f];
      lists.ends[f] +=
          Wide::store_nonzero(values[f], indices, lists.values + end, lists.indices + end);
    }
  }
  Wide::store(total, sum, filters);
}

template <class Wide>
void list_windows_by_filter(const SparseGradient& gradient, const TileWindows& windows, int filters,
                            const ListWriter& lists, float* total) {
  using V = typename Wide::V;
  using Int = typename Wide::Int;
  V sum{};
  for (std::int64_t first = 0; first < windows.count; first += Wide::kLanes) {
    V values[Wide::kLanes];
    Int indices[Wide::kLanes];
    for (int i = 0; i < Wide::kLanes; ++i) {
      values[i] = V{};
      indices[i] = Int{};
      if (first + i >= windows.count) continue;
      const PooledGradients<Wide> gradients(gradient, windows.gradients[first + i], filters);
      values[i] = gradients.value;
      sum = sum + values[i];
      indices[i] = (gradients.cell & 1) + (gradients.cell > 1 ? Int{} + windows.cell_row : Int{}) +
                   windows.cells[first + i];
    }
    transpose_square<Wide::kLanes>(values);
    transpose_square<Wide::kLanes>(indices);
    for (int f = 0; f < filters; ++f) {
      const std::int32_t end = lists.ends[f];
      lists.ends[f] +=
          Wide::store_nonzero(values[f], indices[f], lists.values + end, lists.indices + end);
    }
  }
  Wide::store(total, sum, filters);
}

template <class Wide>
void list_by_filter_any(const SparseGradient& gradient, const TileWindows& windows, int filters,
                        const ListWriter& lists, float* total) {
  for (int f = 0; f < filters; ++f) lists.ends[f] = lists.begins[f];
  const auto list =
      gradient.argmax == nullptr ? list_pixels_by_filter<Wide> : list_windows_by_filter<Wide>;
  list(gradient, windows, filters, lists, total);
}

template <class Wide>
void list_by_cell_any(const SparseGradient& gradient, std::int64_t filters,
                      const ListWriter& lists) {
  using V = typename Wide::V;
  using Int = typename Wide::Int;
  Int lane{};
  for (int i = 0; i < Wide::kLanes; ++i) lane[i] = i;
  std::int32_t end = lists.begins[0];
  for (int cell = 0; cell < 4; ++cell) {
    lists.begins[cell] = end;
    for (std::int64_t f = 0; f < filters; f += Wide::kLanes) {
      const std::int64_t rest = filters - f;
      const PooledGradients<Wide> gradients(gradient, f,
                                            rest < Wide::kLanes ? int(rest) : Wide::kLanes);
      const V here = gradients.cell == cell ? gradients.value : V{};
      end += Wide::store_nonzero(here, lane + std::int32_t(f), lists.values + end,
                                 lists.indices + end);
    }
    lists.ends[cell] = end;
  }
}

// Implements copy, with (kReluMask) or without a relu_mask.
template <class Wide, bool kReluMask>
bool copy_pixels(const PixelCopy& copy) {
  using V = typename Wide::V;
  const int last = int((copy.channels - 1) % Wide::kLanes) + 1;
  V zeros{};  // sums of value * 0: NaN if a value is not finite
  for (std::int64_t pixel = 0; pixel < copy.pixels; ++pixel) {
    const float* from = copy.from + pixel * copy.from_step;
    float* to = copy.to + pixel * copy.to_step;
    const float* relu_mask = kReluMask ? copy.relu_mask + pixel * copy.to_step : nullptr;
    std::int64_t c = 0;
    for (; c + Wide::kLanes < copy.channels; c += Wide::kLanes) {
      const V values = Wide::load(from + c);
      zeros = zeros + values * V{};
      Wide::store(to + c, kReluMask ? (Wide::load(relu_mask + c) > 0 ? values : V{}) : values);
    }
    const bool full = last == Wide::kLanes;
    V values = full ? Wide::load(from + c) : Wide::load(from + c, last);
    zeros = zeros + values * V{};
    if constexpr (kReluMask) {
      const V mask = full ? Wide::load(relu_mask + c) : Wide::load(relu_mask + c, last);
      values = mask > 0 ? values : V{};
    }
    full ? Wide::store(to + c, values) : Wide::store(to + c, values, last);
  }
  bool finite = true;
  for (int i = 0; i < Wide::kLanes; ++i) finite = finite && zeros[i] == 0;
  return finite;
}

template <class Wide>
bool copy_any(const PixelCopy& copy) {
  return copy.relu_mask == nullptr ? copy_pixels<Wide, false>(copy) : copy_pixels<Wide, true>(copy);
}

}  // namespace
}  // namespace minicnn
