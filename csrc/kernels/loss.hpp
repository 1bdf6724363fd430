#pragma once

#include <cstdint>

#include "kernels/targets.hpp"

namespace minicnn {

// y_pred and dy_pred are (rows, targets.c), loss and dloss (rows,); loss and dy_pred are written. A
// row whose class index is not valid has a loss of NaN and a gradient of 0.
void categorical_crossentropy_forward(const float* y_pred, const DenseTargets& targets,
                                      std::int64_t rows, float* loss) noexcept;
void categorical_crossentropy_forward(const float* y_pred, const SparseTargets& targets,
                                      std::int64_t rows, float* loss) noexcept;
void categorical_crossentropy_backward(const float* dloss, const float* y_pred,
                                       const DenseTargets& targets, std::int64_t rows,
                                       float* dy_pred) noexcept;
void categorical_crossentropy_backward(const float* dloss, const float* y_pred,
                                       const SparseTargets& targets, std::int64_t rows,
                                       float* dy_pred) noexcept;

void binary_crossentropy_forward(const float* y_pred, const DenseTargets& targets,
                                 std::int64_t rows, float* loss) noexcept;
void binary_crossentropy_backward(const float* dloss, const float* y_pred,
                                  const DenseTargets& targets, std::int64_t rows,
                                  float* dy_pred) noexcept;

void mean_squared_error_forward(const float* y_pred, const DenseTargets& targets, std::int64_t rows,
                                float* loss) noexcept;
void mean_squared_error_backward(const float* dloss, const float* y_pred,
                                 const DenseTargets& targets, std::int64_t rows,
                                 float* dy_pred) noexcept;

}  // namespace minicnn
