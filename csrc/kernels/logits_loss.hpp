#pragma once

#include <cstdint>

#include "kernels/targets.hpp"

namespace minicnn {

// Losses that include the last activation. logits, probabilities and dlogits are (rows, targets.c),
// loss and dloss (rows,). A row whose class index is not valid has a loss of NaN and a gradient of
// 0.
void softmax_crossentropy_forward(const float* logits, const DenseTargets& targets,
                                  std::int64_t rows, float* loss, float* probabilities) noexcept;
void softmax_crossentropy_forward(const float* logits, const SparseTargets& targets,
                                  std::int64_t rows, float* loss, float* probabilities) noexcept;
void softmax_crossentropy_backward(const float* dloss, const float* probabilities,
                                   const DenseTargets& targets, std::int64_t rows,
                                   float* dlogits) noexcept;
void softmax_crossentropy_backward(const float* dloss, const float* probabilities,
                                   const SparseTargets& targets, std::int64_t rows,
                                   float* dlogits) noexcept;

void sigmoid_binary_crossentropy_forward(const float* logits, const DenseTargets& targets,
                                         std::int64_t rows, float* loss,
                                         float* probabilities) noexcept;
void sigmoid_binary_crossentropy_backward(const float* dloss, const float* probabilities,
                                          const DenseTargets& targets, std::int64_t rows,
                                          float* dlogits) noexcept;

}  // namespace minicnn
