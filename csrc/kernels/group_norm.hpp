#pragma once

#include <cstddef>
#include <cstdint>

namespace minicnn {

// An array (rows, positions, groups, size). Each (row, group) is normalized by its own statistics;
// gamma and beta have one value per channel, the last two axes.
struct GroupNormShape {
  std::int64_t rows, positions, groups, size;

  std::int64_t channels() const { return groups * size; }
  std::int64_t row() const { return positions * channels(); }
};

// What a group is divided by: the root of its variance after its mean was subtracted, the root of
// its mean square (both with epsilon added under the root), or its norm, at least epsilon.
enum class GroupStatistic { variance, mean_square, norm };

struct GroupNorm {
  GroupStatistic statistic;
  double epsilon;
  const float *gamma, *beta;  // (channels,) or null
};

// The scratch of the two kernels, in bytes, aligned for double.
std::size_t group_norm_forward_scratch(const GroupNormShape& shape);
std::size_t group_norm_backward_scratch(const GroupNormShape& shape);

// y = gamma * ((x - mean) * inverse_std) + beta. mean and inverse_std (rows, groups) are written.
void group_norm_forward(const float* x, const GroupNormShape& shape, const GroupNorm& norm,
                        float* y, float* mean, float* inverse_std, char* scratch) noexcept;

struct GroupNormSaved {
  const float *x, *mean, *inverse_std;
};

struct GroupNormGradients {
  float *dx, *dgamma, *dbeta;  // each may be null
};

void group_norm_backward(const float* dy, const GroupNormSaved& saved, const GroupNormShape& shape,
                         const GroupNorm& norm, const GroupNormGradients& gradients,
                         char* scratch) noexcept;

}  // namespace minicnn
