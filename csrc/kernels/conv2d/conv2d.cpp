#include "kernels/conv2d/conv2d.hpp"

#include "kernels/activation.hpp"
#include "kernels/conv2d/carver.hpp"
#include "kernels/conv2d/chooser.hpp"
#include "kernels/conv2d/depthwise.hpp"
#include "kernels/conv2d/direct_backward_input.hpp"
#include "kernels/conv2d/direct_backward_weights.hpp"
#include "kernels/conv2d/direct_forward.hpp"
#include "kernels/conv2d/direct_pooled.hpp"
#include "kernels/conv2d/pool_sparse_backward_input.hpp"
#include "kernels/conv2d/pool_sparse_backward_weights.hpp"
#include "kernels/conv2d/winograd.hpp"

namespace minicnn {
namespace {

// dy where ReLU let it through, for algorithms that take a gradient as it is.
struct ThroughRelu {
  ThroughRelu(const Conv2D& conv, bool relu, Carver& carver)
      : size(conv.y().size()), masked(carver.take<float>(relu ? size : 0)) {}

  const float* run(const float* dy, const float* y) const {
    if (y == nullptr) return dy;
    relu_backward(dy, y, size, masked);
    return masked;
  }

  std::int64_t size;
  float* masked;
};

std::size_t winograd_weights_bytes(const Conv2D& conv) {
  Carver counter(nullptr);
  counter.take<float>(winograd_weights_size(conv));
  return counter.bytes();
}

// The weights transformed: kept, or at the head of `scratch`.
const float* winograd_weights(const Conv2D& conv, const float* w, char* scratch,
                              KeptWeights* kept) {
  if (kept != nullptr) return kept->transformed(conv, w);
  float* u = Carver(scratch).take<float>(winograd_weights_size(conv));
  winograd_transform_weights(conv, w, u);
  return u;
}

std::size_t through_relu_scratch(const Conv2D& conv, bool relu) {
  Carver counter(nullptr);
  ThroughRelu(conv, relu, counter);
  return counter.bytes();
}

}  // namespace

void conv2d_forward(const Conv2D& conv, const float* x, const float* w, const float* b, bool relu,
                    float* y, char* scratch, KeptWeights* kept) noexcept {
  switch (choose_forward(conv)) {
    case Algorithm::depthwise:
      depthwise_forward(conv, x, w, b, y, scratch);
      if (relu) relu_forward(y, conv.y().size(), y);
      return;
    case Algorithm::winograd:
      return winograd_forward(conv, x, winograd_weights(conv, w, scratch, kept), b, relu, y,
                              scratch + winograd_weights_bytes(conv));
    default:
      return direct_forward(conv, x, w, b, relu, y, scratch);
  }
}

std::size_t conv2d_forward_scratch(const Conv2D& conv) {
  switch (choose_forward(conv)) {
    case Algorithm::depthwise:
      return depthwise_forward_scratch(conv);
    case Algorithm::winograd:
      return winograd_weights_bytes(conv) + winograd_forward_scratch(conv);
    default:
      return direct_forward_scratch(conv);
  }
}

void conv2d_backward_input(const Conv2D& conv, const float* dy, const float* y, const float* w,
                           float* dx, char* scratch) noexcept {
  switch (choose_backward_input(conv)) {
    case Algorithm::winograd:
      return winograd_backward_input(conv, dy, y, w, dx, scratch);
    default: {
      const bool depthwise = choose_backward_input(conv) == Algorithm::depthwise;
      const auto backward = depthwise ? depthwise_backward_input : direct_backward_input;
      Carver carver(scratch);
      const float* through = ThroughRelu(conv, y != nullptr, carver).run(dy, y);
      return backward(conv, through, w, dx, scratch + carver.bytes());
    }
  }
}

std::size_t conv2d_backward_input_scratch(const Conv2D& conv, bool relu) {
  switch (choose_backward_input(conv)) {
    case Algorithm::depthwise:
      return through_relu_scratch(conv, relu) + depthwise_backward_input_scratch(conv);
    case Algorithm::winograd:
      return winograd_backward_input_scratch(conv);
    default:
      return through_relu_scratch(conv, relu) + direct_backward_input_scratch(conv);
  }
}

void conv2d_backward_weights(const Conv2D& conv, const float* dy, const float* y, const float* x,
                             float* dw, float* db, char* scratch) noexcept {
  switch (choose_backward_weights(conv)) {
    case Algorithm::winograd:
      return winograd_backward_weights(conv, dy, y, x, dw, db, scratch);
    case Algorithm::depthwise: {
      Carver carver(scratch);
      const float* through = ThroughRelu(conv, y != nullptr, carver).run(dy, y);
      return depthwise_backward_weights(conv, through, x, dw, db, scratch + carver.bytes());
    }
    default:
      return direct_backward_weights(conv, dy, y, x, dw, db, scratch);
  }
}

std::size_t conv2d_backward_weights_scratch(const Conv2D& conv, bool relu) {
  switch (choose_backward_weights(conv)) {
    case Algorithm::depthwise:
      return through_relu_scratch(conv, relu) + depthwise_backward_weights_scratch(conv);
    case Algorithm::winograd:
      return winograd_backward_weights_scratch(conv);
    default:
      return direct_backward_weights_scratch(conv, relu);
  }
}

void conv2d_max_pool2d_forward(const PooledConv2D& op, const float* x, const float* w,
                               const float* b, float* y, std::uint8_t* winner, double* moments,
                               char* scratch, KeptWeights* kept) noexcept {
  switch (choose_pooled_forward(op)) {
    case Algorithm::winograd:
      return winograd_pooled_forward(op, x, winograd_weights(op.conv, w, scratch, kept), b, y,
                                     winner, moments, scratch + winograd_weights_bytes(op.conv));
    default:
      return direct_pooled_forward(op, x, w, b, y, winner, moments, scratch);
  }
}

std::size_t conv2d_max_pool2d_forward_scratch(const PooledConv2D& op) {
  switch (choose_pooled_forward(op)) {
    case Algorithm::winograd:
      return winograd_weights_bytes(op.conv) + winograd_pooled_forward_scratch(op);
    default:
      return direct_pooled_forward_scratch(op);
  }
}

void conv2d_max_pool2d_backward_input(const PooledConv2D& op, const float* dy, const float* y,
                                      const std::uint8_t* winner, const float* w, float* dx,
                                      char* scratch) noexcept {
  switch (choose_pooled_backward_input(op)) {
    case Algorithm::pool_sparse:
      return pool_sparse_backward_input(op, dy, y, winner, w, dx, scratch);
    default:
      return direct_pooled_backward_input(op, dy, y, winner, w, dx, scratch);
  }
}

std::size_t conv2d_max_pool2d_backward_input_scratch(const PooledConv2D& op) {
  switch (choose_pooled_backward_input(op)) {
    case Algorithm::pool_sparse:
      return pool_sparse_backward_input_scratch(op);
    default:
      return direct_pooled_backward_input_scratch(op);
  }
}

void conv2d_max_pool2d_backward_weights(const PooledConv2D& op, const float* dy, const float* y,
                                        const std::uint8_t* winner, const float* x, float* dw,
                                        float* db, char* scratch) noexcept {
  switch (choose_pooled_backward_weights(op)) {
    case Algorithm::pool_sparse:
      return pool_sparse_backward_weights(op, dy, y, winner, x, dw, db, scratch);
    default:
      return direct_pooled_backward_weights(op, dy, y, winner, x, dw, db, scratch);
  }
}

std::size_t conv2d_max_pool2d_backward_weights_scratch(const PooledConv2D& op) {
  switch (choose_pooled_backward_weights(op)) {
    case Algorithm::pool_sparse:
      return pool_sparse_backward_weights_scratch(op);
    default:
      return direct_pooled_backward_weights_scratch(op);
  }
}

}  // namespace minicnn
