#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/strided.hpp"

namespace minicnn {

// How an array is reduced along some of its axes. Its last axis that is longer than 1 is either
// reduced, and `inner` values in a row are one part of a result; or it is kept, and `inner` results
// are computed side by side.
struct Reduction {
  Strided kept;     // where the results begin, without the last axis
  Strided reduced;  // the places that one result is computed from, without the last axis
  std::int64_t inner = 1;
  bool inner_reduced = false;

  std::int64_t results() const { return kept.size() * (inner_reduced ? 1 : inner); }
  std::int64_t values() const { return reduced.size() * (inner_reduced ? inner : 1); }  // of each
};

// y holds the results in the order of the kept axes. Sums are computed in double, in an order that
// depends on shapes alone; scratch of sum_scratch bytes, aligned for double.
std::size_t sum_scratch(const Reduction& rule);
void reduce_sum(const float* x, const Reduction& rule, float* y, char* scratch) noexcept;
void reduce_max(const float* x, const Reduction& rule, float* y) noexcept;
void reduce_min(const float* x, const Reduction& rule, float* y) noexcept;

// dx = dy / k at the k places where x = y, else 0; scratch of share_scratch bytes.
std::size_t share_scratch(const Reduction& rule);
void extreme_backward(const float* dy, const float* x, const float* y, const Reduction& rule,
                      float* dx, char* scratch) noexcept;

}  // namespace minicnn
