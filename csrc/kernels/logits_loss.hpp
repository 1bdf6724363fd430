#pragma once

#include <cstdint>

#include "kernels/truth.hpp"

namespace minicnn {

// Losses with the last activation built in. logits, probabilities, dlogits: rows x truth.c; loss,
// dloss: (rows,). A row whose truth is not valid has a loss of NaN and no gradient.
void softmax_crossentropy_forward(const float* logits, const DenseTruth& truth, std::int64_t rows,
                                  float* loss, float* probabilities) noexcept;
void softmax_crossentropy_forward(const float* logits, const SparseTruth& truth, std::int64_t rows,
                                  float* loss, float* probabilities) noexcept;
void softmax_crossentropy_backward(const float* dloss, const float* probabilities,
                                   const DenseTruth& truth, std::int64_t rows,
                                   float* dlogits) noexcept;
void softmax_crossentropy_backward(const float* dloss, const float* probabilities,
                                   const SparseTruth& truth, std::int64_t rows,
                                   float* dlogits) noexcept;

void sigmoid_binary_crossentropy_forward(const float* logits, const DenseTruth& truth,
                                         std::int64_t rows, float* loss,
                                         float* probabilities) noexcept;
void sigmoid_binary_crossentropy_backward(const float* dloss, const float* probabilities,
                                          const DenseTruth& truth, std::int64_t rows,
                                          float* dlogits) noexcept;

}  // namespace minicnn
