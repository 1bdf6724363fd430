#pragma once

#include <cstdint>

#include "kernels/truth.hpp"

namespace minicnn {

// y_pred, dy_pred: rows x truth.c; loss, dloss: (rows,); loss and dy_pred are written. A row whose
// truth is not valid has a loss of NaN and no gradient.
void categorical_crossentropy_forward(const float* y_pred, const DenseTruth& truth,
                                      std::int64_t rows, float* loss) noexcept;
void categorical_crossentropy_forward(const float* y_pred, const SparseTruth& truth,
                                      std::int64_t rows, float* loss) noexcept;
void categorical_crossentropy_backward(const float* dloss, const float* y_pred,
                                       const DenseTruth& truth, std::int64_t rows,
                                       float* dy_pred) noexcept;
void categorical_crossentropy_backward(const float* dloss, const float* y_pred,
                                       const SparseTruth& truth, std::int64_t rows,
                                       float* dy_pred) noexcept;

void binary_crossentropy_forward(const float* y_pred, const DenseTruth& truth, std::int64_t rows,
                                 float* loss) noexcept;
void binary_crossentropy_backward(const float* dloss, const float* y_pred, const DenseTruth& truth,
                                  std::int64_t rows, float* dy_pred) noexcept;

void mean_squared_error_forward(const float* y_pred, const DenseTruth& truth, std::int64_t rows,
                                float* loss) noexcept;
void mean_squared_error_backward(const float* dloss, const float* y_pred, const DenseTruth& truth,
                                 std::int64_t rows, float* dy_pred) noexcept;

}  // namespace minicnn
