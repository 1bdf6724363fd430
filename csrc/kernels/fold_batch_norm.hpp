#pragma once

#include <cstddef>
#include <cstdint>

namespace minicnn {

// A batch norm with fixed statistics, (channels,) each, that is folded into a convolution's
// weights. Its channels are the convolution's filters if it comes after, the input channels if it
// comes before.
struct FixedBatchNorm {
  const float *gamma, *beta, *mean, *variance;
  double epsilon;
};

// The weights of a convolution without groups, their kernel cells as one axis.
struct FoldedShape {
  std::int64_t cells, channels, filters;
};

//   w (cells, channels, filters)  b (filters,) or null
//   folded_w, folded_b            written; of the same shapes
void fold_batch_norm_after_conv2d(const FoldedShape& shape, const float* w, const float* b,
                                  const FixedBatchNorm& norm, float* folded_w, float* folded_b,
                                  char* scratch) noexcept;
void fold_batch_norm_before_conv2d(const FoldedShape& shape, const float* w, const float* b,
                                   const FixedBatchNorm& norm, float* folded_w, float* folded_b,
                                   char* scratch) noexcept;
std::size_t fold_batch_norm_scratch(const FoldedShape& shape);

}  // namespace minicnn
