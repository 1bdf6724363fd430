#include "kernels/reduce.hpp"

#include <algorithm>

#include "core/blocks.hpp"
#include "core/parallel.hpp"
#include "kernels/sum_rows.hpp"

namespace minicnn {
namespace {

constexpr std::int64_t kLanes = 8;  // sums of one row that are added up separately

double sum_of(const float* x, std::int64_t length) {
  double lanes[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= length; i += kLanes) {
    for (std::int64_t j = 0; j < kLanes; ++j) lanes[j] += double(x[i + j]);
  }
  double sum = 0.0;
  for (; i < length; ++i) sum += double(x[i]);
  for (const double lane : lanes) sum += lane;
  return sum;
}

float larger(float a, float b) { return (a >= b) | (a != a) ? a : b; }  // NaN if either is
float smaller(float a, float b) { return (a <= b) | (a != a) ? a : b; }

// The work of one task, in floats; at least 1, because an empty sum is written, too.
std::int64_t work(const Reduction& rule) {
  return std::max<std::int64_t>(1, rule.reduced.size() * rule.inner);
}

// Whether the sum of one task is divided among threads: a sum over the batch has a single task.
bool divides_tasks(const Reduction& rule) {
  return !rule.inner_reduced && work(rule) >= 4 * kBlockFloats && rule.kept.size() < 8;
}

void add_row(const float* x, std::int64_t length, double* sums) {
  for (std::int64_t i = 0; i < length; ++i) sums[i] += double(x[i]);
}

void sum_columns(const float* x, const Reduction& rule, double* sums) {
  std::fill_n(sums, rule.inner, 0.0);
  const std::int64_t rows = rule.reduced.size();
  for (std::int64_t row = 0; row < rows; ++row) {
    add_row(x + rule.reduced.place(row), rule.inner, sums);
  }
}

void store(const double* sums, std::int64_t length, float* y) {
  for (std::int64_t i = 0; i < length; ++i) y[i] = float(sums[i]);
}

template <float (*better)(float, float)>
float extreme_of(const float* x, const Reduction& rule) {
  float best = x[rule.reduced.place(0)];
  const std::int64_t rows = rule.reduced.size();
  for (std::int64_t row = 0; row < rows; ++row) {
    const float* values = x + rule.reduced.place(row);
    for (std::int64_t i = 0; i < rule.inner; ++i) best = better(best, values[i]);
  }
  return best;
}

template <float (*better)(float, float)>
void extreme_columns(const float* x, const Reduction& rule, float* y) {
  std::copy_n(x + rule.reduced.place(0), rule.inner, y);
  const std::int64_t rows = rule.reduced.size();
  for (std::int64_t row = 1; row < rows; ++row) {
    const float* values = x + rule.reduced.place(row);
    for (std::int64_t i = 0; i < rule.inner; ++i) y[i] = better(y[i], values[i]);
  }
}

template <float (*better)(float, float)>
void extreme(const float* x, const Reduction& rule, float* y) noexcept {
  parallel_rows(rule.kept.size(), work(rule), [&](std::int64_t task, int) {
    const float* from = x + rule.kept.place(task);
    if (rule.inner_reduced) {
      y[task] = extreme_of<better>(from, rule);
    } else {
      extreme_columns<better>(from, rule, y + task * rule.inner);
    }
  });
}

// One result: its gradient is shared by the places that are equal to it.
void share_one(float dy, const float* x, float y, const Reduction& rule, float* dx) {
  const std::int64_t rows = rule.reduced.size();
  std::int64_t ties = 0;
  for (std::int64_t row = 0; row < rows; ++row) {
    const float* values = x + rule.reduced.place(row);
    for (std::int64_t i = 0; i < rule.inner; ++i) ties += values[i] == y ? 1 : 0;
  }
  const float share = dy / float(std::max<std::int64_t>(ties, 1));
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t at = rule.reduced.place(row);
    for (std::int64_t i = 0; i < rule.inner; ++i) dx[at + i] = x[at + i] == y ? share : 0.0F;
  }
}

// The same for `inner` results side by side; `shares` has room for as many.
void share_columns(const float* dy, const float* x, const float* y, const Reduction& rule,
                   float* dx, double* shares) {
  const std::int64_t rows = rule.reduced.size();
  std::fill_n(shares, rule.inner, 0.0);
  for (std::int64_t row = 0; row < rows; ++row) {
    const float* values = x + rule.reduced.place(row);
    for (std::int64_t i = 0; i < rule.inner; ++i) shares[i] += values[i] == y[i] ? 1.0 : 0.0;
  }
  for (std::int64_t i = 0; i < rule.inner; ++i) {
    shares[i] = double(dy[i] / float(std::max(shares[i], 1.0)));
  }
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t at = rule.reduced.place(row);
    for (std::int64_t i = 0; i < rule.inner; ++i) {
      dx[at + i] = x[at + i] == y[i] ? float(shares[i]) : 0.0F;
    }
  }
}

}  // namespace

std::size_t sum_scratch(const Reduction& rule) {
  if (!divides_tasks(rule)) return share_scratch(rule);
  const std::int64_t inner = rule.inner;
  return (std::size_t(inner) + partial_sums(rule.reduced.size(), inner, inner)) * sizeof(double);
}

std::size_t share_scratch(const Reduction& rule) {
  if (rule.inner_reduced) return 0;
  return std::size_t(rule.inner) * std::size_t(max_workers()) * sizeof(double);
}

void reduce_sum(const float* x, const Reduction& rule, float* y, char* scratch) noexcept {
  auto* sums = reinterpret_cast<double*>(scratch);
  if (divides_tasks(rule)) {
    for (std::int64_t task = 0; task < rule.kept.size(); ++task) {
      const float* from = x + rule.kept.place(task);
      const auto add = [&](std::int64_t row, double* sum) {
        add_row(from + rule.reduced.place(row), rule.inner, sum);
      };
      sum_rows(rule.reduced.size(), rule.inner, rule.inner, add, sums, sums + rule.inner);
      store(sums, rule.inner, y + task * rule.inner);
    }
    return;
  }
  parallel_rows(rule.kept.size(), work(rule), [&](std::int64_t task, int worker) {
    const float* from = x + rule.kept.place(task);
    if (!rule.inner_reduced) {
      double* own = sums + worker * rule.inner;
      sum_columns(from, rule, own);
      store(own, rule.inner, y + task * rule.inner);
      return;
    }
    double sum = 0.0;
    const std::int64_t rows = rule.reduced.size();
    for (std::int64_t row = 0; row < rows; ++row) {
      sum += sum_of(from + rule.reduced.place(row), rule.inner);
    }
    y[task] = float(sum);
  });
}

void reduce_max(const float* x, const Reduction& rule, float* y) noexcept {
  extreme<larger>(x, rule, y);
}

void reduce_min(const float* x, const Reduction& rule, float* y) noexcept {
  extreme<smaller>(x, rule, y);
}

void extreme_backward(const float* dy, const float* x, const float* y, const Reduction& rule,
                      float* dx, char* scratch) noexcept {
  auto* shares = reinterpret_cast<double*>(scratch);
  parallel_rows(rule.kept.size(), work(rule), [&](std::int64_t task, int worker) {
    const std::int64_t at = rule.kept.place(task);
    if (rule.inner_reduced) {
      share_one(dy[task], x + at, y[task], rule, dx + at);
    } else {
      share_columns(dy + task * rule.inner, x + at, y + task * rule.inner, rule, dx + at,
                    shares + worker * rule.inner);
    }
  });
}

}  // namespace minicnn
