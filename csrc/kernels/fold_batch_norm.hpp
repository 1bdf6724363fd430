#pragma once

#include <cstddef>
#include <cstdint>

namespace minicnn {

// Batch norm of fixed statistics, (channels,) each, as a part of a convolution's weights. The
// channels are the filters where it comes after the convolution, those of the input before it.
struct FixedBatchNorm {
  const float *gamma, *beta, *mean, *variance;
  double epsilon;
};

// A convolution of one group, its kernel cells as one axis.
struct FoldedShape {
  std::int64_t cells, channels, filters;
};

//   w (cells, channels, filters)  b (filters,) or null
//   folded_w, folded_b, of these shapes   written
void fold_batch_norm_after_conv2d(const FoldedShape& shape, const float* w, const float* b,
                                  const FixedBatchNorm& norm, float* folded_w, float* folded_b,
                                  char* scratch) noexcept;
void fold_batch_norm_before_conv2d(const FoldedShape& shape, const float* w, const float* b,
                                   const FixedBatchNorm& norm, float* folded_w, float* folded_b,
                                   char* scratch) noexcept;
std::size_t fold_batch_norm_scratch(const FoldedShape& shape);

}  // namespace minicnn
