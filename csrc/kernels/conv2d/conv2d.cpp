#include "kernels/conv2d/conv2d.hpp"

#include <algorithm>

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

// dx as an algorithm writes it that does not know of the ReLU before the convolution.
struct BeforeRelu {
  BeforeRelu(const Conv2D& conv, bool behind_relu, Carver& carver)
      : size(conv.x.size()), whole(carver.take<float>(behind_relu ? size : 0)) {}

  float* target(const float* x, float* dx) const { return x == nullptr ? dx : whole; }
  void finish(const float* x, float* dx) const {
    if (x != nullptr) relu_backward(whole, x, size, dx);
  }

  std::int64_t size;
  float* whole;
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

std::size_t before_relu_scratch(const Conv2D& conv, bool behind_relu) {
  Carver counter(nullptr);
  BeforeRelu(conv, behind_relu, counter);
  return counter.bytes();
}

// Of what multiplies by zeros, too.
std::size_t dense_backward_weights_scratch(const Conv2D& conv, bool relu) {
  switch (choose_backward_weights(conv)) {
    case Algorithm::depthwise:
      return through_relu_scratch(conv, relu) + depthwise_backward_weights_scratch(conv);
    case Algorithm::winograd:
      return winograd_backward_weights_scratch(conv);
    default:
      return direct_backward_weights_scratch(conv, relu);
  }
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
                           const float* x, float* dx, char* scratch) noexcept {
  switch (choose_backward_input(conv)) {
    case Algorithm::winograd:
      return winograd_backward_input(conv, dy, y, w, x, dx, scratch);
    default: {
      const bool depthwise = choose_backward_input(conv) == Algorithm::depthwise;
      const auto backward = depthwise ? depthwise_backward_input : direct_backward_input;
      Carver carver(scratch);
      const ThroughRelu through(conv, y != nullptr, carver);
      const BeforeRelu before(conv, x != nullptr, carver);
      backward(conv, through.run(dy, y), w, before.target(x, dx), scratch + carver.bytes());
      return before.finish(x, dx);
    }
  }
}

std::size_t conv2d_backward_input_scratch(const Conv2D& conv, bool relu, bool behind_relu) {
  const std::size_t relus =
      through_relu_scratch(conv, relu) + before_relu_scratch(conv, behind_relu);
  switch (choose_backward_input(conv)) {
    case Algorithm::depthwise:
      return relus + depthwise_backward_input_scratch(conv);
    case Algorithm::winograd:
      return winograd_backward_input_scratch(conv);
    default:
      return relus + direct_backward_input_scratch(conv);
  }
}

void conv2d_backward_weights(const Conv2D& conv, const float* dy, const float* y, const float* x,
                             float* dw, float* db, char* scratch) noexcept {
  switch (choose_backward_weights(conv, y == nullptr ? dy : y)) {
    case Algorithm::relu_sparse:
      return relu_sparse_backward_weights(conv, dy, y, x, dw, db, scratch);
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
  const std::size_t dense = dense_backward_weights_scratch(conv, relu);
  if (relu_sparse_limit(conv) == 0) return dense;
  return std::max(dense, relu_sparse_backward_weights_scratch(conv));
}

void conv2d_max_pool2d_forward(const PooledConv2D& op, const float* x, const float* w,
                               const float* b, float* y, std::uint8_t* argmax, double* moments,
                               char* scratch, KeptWeights* kept) noexcept {
  switch (choose_pooled_forward(op)) {
    case Algorithm::winograd:
      return winograd_pooled_forward(op, x, winograd_weights(op.conv, w, scratch, kept), b, y,
                                     argmax, moments, scratch + winograd_weights_bytes(op.conv));
    default:
      return direct_pooled_forward(op, x, w, b, y, argmax, moments, scratch);
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

void conv2d_max_pool2d_backward_input(const PooledConv2D& op, const float* dy,
                                      const std::uint8_t* argmax, const float* w, const float* x,
                                      float* dx, char* scratch) noexcept {
  switch (choose_pooled_backward_input(op)) {
    case Algorithm::pool_sparse:
      return pool_sparse_backward_input(op, dy, argmax, w, x, dx, scratch);
    default: {
      Carver carver(scratch);
      const BeforeRelu before(op.conv, x != nullptr, carver);
      direct_pooled_backward_input(op, dy, argmax, w, before.target(x, dx),
                                   scratch + carver.bytes());
      return before.finish(x, dx);
    }
  }
}

std::size_t conv2d_max_pool2d_backward_input_scratch(const PooledConv2D& op, bool behind_relu) {
  switch (choose_pooled_backward_input(op)) {
    case Algorithm::pool_sparse:
      return pool_sparse_backward_input_scratch(op);
    default:
      return before_relu_scratch(op.conv, behind_relu) + direct_pooled_backward_input_scratch(op);
  }
}

void conv2d_max_pool2d_backward_weights(const PooledConv2D& op, const float* dy,
                                        const std::uint8_t* argmax, const float* x, float* dw,
                                        float* db, char* scratch) noexcept {
  switch (choose_pooled_backward_weights(op)) {
    case Algorithm::pool_sparse:
      return pool_sparse_backward_weights(op, dy, argmax, x, dw, db, scratch);
    default:
      return direct_pooled_backward_weights(op, dy, argmax, x, dw, db, scratch);
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
