#include "kernels/conv2d/conv2d.hpp"

#include <algorithm>

#include "core/scratch.hpp"
#include "kernels/activation/activation.hpp"
#include "kernels/conv2d/algorithm_selection.hpp"
#include "kernels/conv2d/depthwise.hpp"
#include "kernels/conv2d/direct/backward_input.hpp"
#include "kernels/conv2d/direct/backward_weights.hpp"
#include "kernels/conv2d/direct/forward.hpp"
#include "kernels/conv2d/direct/pooled.hpp"
#include "kernels/conv2d/one_filter.hpp"
#include "kernels/conv2d/sparse/backward_input.hpp"
#include "kernels/conv2d/sparse/backward_weights.hpp"
#include "kernels/conv2d/winograd/winograd.hpp"

namespace minicnn {
namespace {

// dy multiplied by the ReLU mask (y > 0), for algorithms that do not apply the mask themselves.
struct MaskedOutputGradient {
  MaskedOutputGradient(const Conv2D& conv, bool masks_dy, ScratchAllocator& allocator)
      : size(conv.y().size()), masked(allocator.allocate<float>(masks_dy ? size : 0)) {}

  const float* compute(const float* dy, const float* y) const {
    if (y == nullptr) return dy;
    relu_backward(dy, y, size, masked);
    return masked;
  }

  std::int64_t size;
  float* masked;
};

// dx before the mask of the preceding ReLU (x > 0), for algorithms that do not apply it themselves.
struct UnmaskedInputGradient {
  UnmaskedInputGradient(const Conv2D& conv, bool masks_dx, ScratchAllocator& allocator)
      : size(conv.x.size()), unmasked(allocator.allocate<float>(masks_dx ? size : 0)) {}

  float* target(const float* x, float* dx) const { return x == nullptr ? dx : unmasked; }
  void apply_mask(const float* x, float* dx) const {
    if (x != nullptr) relu_backward(unmasked, x, size, dx);
  }

  std::int64_t size;
  float* unmasked;
};

std::size_t winograd_weights_bytes(const Conv2D& conv) {
  ScratchAllocator counter(nullptr);
  counter.allocate<float>(winograd_weights_size(conv));
  return counter.bytes();
}

// Returns the transformed weights: from the cache, or else computed at the beginning of `scratch`.
const float* winograd_weights(const Conv2D& conv, const float* w, char* scratch,
                              TransformedWeights* cached) {
  if (cached != nullptr) return cached->get(conv, w);
  float* u = ScratchAllocator(scratch).allocate<float>(winograd_weights_size(conv));
  winograd_transform_weights(conv, w, u);
  return u;
}

std::size_t masked_dy_scratch(const Conv2D& conv, bool masks_dy) {
  ScratchAllocator counter(nullptr);
  MaskedOutputGradient(conv, masks_dy, counter);
  return counter.bytes();
}

std::size_t unmasked_dx_scratch(const Conv2D& conv, bool masks_dx) {
  ScratchAllocator counter(nullptr);
  UnmaskedInputGradient(conv, masks_dx, counter);
  return counter.bytes();
}

// The scratch of the algorithms that do not skip the zeros of dy.
std::size_t nonsparse_backward_weights_scratch(const Conv2D& conv, bool masks_dy) {
  switch (select_backward_weights(conv)) {
    case Algorithm::depthwise:
      return masked_dy_scratch(conv, masks_dy) + depthwise_backward_weights_scratch(conv);
    case Algorithm::one_filter:
      return masked_dy_scratch(conv, masks_dy) + one_filter_backward_weights_scratch(conv);
    case Algorithm::winograd:
      return winograd_backward_weights_scratch(conv);
    default:
      return direct_backward_weights_scratch(conv, masks_dy);
  }
}

}  // namespace

void conv2d_forward(const Conv2D& conv, const float* x, const float* w, const float* b, bool relu,
                    float* y, char* scratch, TransformedWeights* cached) noexcept {
  switch (select_forward(conv)) {
    case Algorithm::depthwise:
      depthwise_forward(conv, x, w, b, y, scratch);
      if (relu) relu_forward(y, conv.y().size(), y);
      return;
    case Algorithm::one_filter:
      return one_filter_forward(conv, x, w, b, relu, y, scratch);
    case Algorithm::winograd:
      return winograd_forward(conv, x, winograd_weights(conv, w, scratch, cached), b, relu, y,
                              scratch + winograd_weights_bytes(conv));
    default:
      return direct_forward(conv, x, w, b, relu, y, scratch);
  }
}

std::size_t conv2d_forward_scratch(const Conv2D& conv) {
  switch (select_forward(conv)) {
    case Algorithm::depthwise:
      return depthwise_forward_scratch(conv);
    case Algorithm::one_filter:
      return one_filter_forward_scratch(conv);
    case Algorithm::winograd:
      return winograd_weights_bytes(conv) + winograd_forward_scratch(conv);
    default:
      return direct_forward_scratch(conv);
  }
}

void conv2d_backward_input(const Conv2D& conv, const float* dy, const float* y, const float* w,
                           const float* x, float* dx, char* scratch) noexcept {
  switch (select_backward_input(conv)) {
    case Algorithm::winograd:
      return winograd_backward_input(conv, dy, y, w, x, dx, scratch);
    default: {
      const bool depthwise = select_backward_input(conv) == Algorithm::depthwise;
      const auto backward = depthwise ? depthwise_backward_input : direct_backward_input;
      ScratchAllocator allocator(scratch);
      const MaskedOutputGradient masked_dy(conv, y != nullptr, allocator);
      const UnmaskedInputGradient unmasked_dx(conv, x != nullptr, allocator);
      backward(conv, masked_dy.compute(dy, y), w, unmasked_dx.target(x, dx),
               scratch + allocator.bytes());
      return unmasked_dx.apply_mask(x, dx);
    }
  }
}

std::size_t conv2d_backward_input_scratch(const Conv2D& conv, bool masks_dy, bool masks_dx) {
  const std::size_t masks = masked_dy_scratch(conv, masks_dy) + unmasked_dx_scratch(conv, masks_dx);
  switch (select_backward_input(conv)) {
    case Algorithm::depthwise:
      return masks + depthwise_backward_input_scratch(conv);
    case Algorithm::winograd:
      return winograd_backward_input_scratch(conv);
    default:
      return masks + direct_backward_input_scratch(conv);
  }
}

void conv2d_backward_weights(const Conv2D& conv, const float* dy, const float* y, const float* x,
                             float* dw, float* db, char* scratch) noexcept {
  switch (select_backward_weights(conv, y == nullptr ? dy : y)) {
    case Algorithm::relu_sparse:
      return relu_sparse_backward_weights(conv, dy, y, x, dw, db, scratch);
    case Algorithm::winograd:
      return winograd_backward_weights(conv, dy, y, x, dw, db, scratch);
    case Algorithm::depthwise:
    case Algorithm::one_filter: {
      const bool one_filter = select_backward_weights(conv) == Algorithm::one_filter;
      const auto backward = one_filter ? one_filter_backward_weights : depthwise_backward_weights;
      ScratchAllocator allocator(scratch);
      const float* masked_dy = MaskedOutputGradient(conv, y != nullptr, allocator).compute(dy, y);
      return backward(conv, masked_dy, x, dw, db, scratch + allocator.bytes());
    }
    default:
      return direct_backward_weights(conv, dy, y, x, dw, db, scratch);
  }
}

std::size_t conv2d_backward_weights_scratch(const Conv2D& conv, bool masks_dy) {
  const std::size_t nonsparse = nonsparse_backward_weights_scratch(conv, masks_dy);
  if (relu_sparse_limit(conv) == 0) return nonsparse;
  return std::max(nonsparse, relu_sparse_backward_weights_scratch(conv));
}

void conv2d_max_pool2d_forward(const PooledConv2D& op, const float* x, const float* w,
                               const float* b, float* y, std::uint8_t* argmax, double* moments,
                               char* scratch, TransformedWeights* cached) noexcept {
  switch (select_pooled_forward(op)) {
    case Algorithm::winograd:
      return winograd_pooled_forward(op, x, winograd_weights(op.conv, w, scratch, cached), b, y,
                                     argmax, moments, scratch + winograd_weights_bytes(op.conv));
    default:
      return direct_pooled_forward(op, x, w, b, y, argmax, moments, scratch);
  }
}

std::size_t conv2d_max_pool2d_forward_scratch(const PooledConv2D& op) {
  switch (select_pooled_forward(op)) {
    case Algorithm::winograd:
      return winograd_weights_bytes(op.conv) + winograd_pooled_forward_scratch(op);
    default:
      return direct_pooled_forward_scratch(op);
  }
}

void conv2d_max_pool2d_backward_input(const PooledConv2D& op, const float* dy,
                                      const std::uint8_t* argmax, const float* w, const float* x,
                                      float* dx, char* scratch) noexcept {
  switch (select_pooled_backward_input(op)) {
    case Algorithm::pool_sparse:
      return pool_sparse_backward_input(op, dy, argmax, w, x, dx, scratch);
    default: {
      ScratchAllocator allocator(scratch);
      const UnmaskedInputGradient unmasked_dx(op.conv, x != nullptr, allocator);
      direct_pooled_backward_input(op, dy, argmax, w, unmasked_dx.target(x, dx),
                                   scratch + allocator.bytes());
      return unmasked_dx.apply_mask(x, dx);
    }
  }
}

std::size_t conv2d_max_pool2d_backward_input_scratch(const PooledConv2D& op, bool masks_dx) {
  switch (select_pooled_backward_input(op)) {
    case Algorithm::pool_sparse:
      return pool_sparse_backward_input_scratch(op);
    default:
      return unmasked_dx_scratch(op.conv, masks_dx) + direct_pooled_backward_input_scratch(op);
  }
}

void conv2d_max_pool2d_backward_weights(const PooledConv2D& op, const float* dy,
                                        const std::uint8_t* argmax, const float* x, float* dw,
                                        float* db, char* scratch) noexcept {
  switch (select_pooled_backward_weights(op)) {
    case Algorithm::pool_sparse:
      return pool_sparse_backward_weights(op, dy, argmax, x, dw, db, scratch);
    default:
      return direct_pooled_backward_weights(op, dy, argmax, x, dw, db, scratch);
  }
}

std::size_t conv2d_max_pool2d_backward_weights_scratch(const PooledConv2D& op) {
  switch (select_pooled_backward_weights(op)) {
    case Algorithm::pool_sparse:
      return pool_sparse_backward_weights_scratch(op);
    default:
      return direct_pooled_backward_weights_scratch(op);
  }
}

}  // namespace minicnn
