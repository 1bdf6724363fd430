#include "kernels/activation.hpp"

#include "bindings/call.hpp"
#include "kernels/softmax.hpp"

namespace minicnn {
namespace {

// Checks that all arrays have the shape of the first one, and returns their size.
std::int64_t common_size(const Call& call, std::size_t reads) {
  for (std::size_t i = 1; i < reads; ++i) call.require_shape(call.read(i), call.read(0).shape);
  call.require_shape(call.write(0), call.read(0).shape);
  return call.read(0).size();
}

using Forward = void (*)(const float* x, std::int64_t size, float* y) noexcept;
using ForwardWith = void (*)(const float* x, std::int64_t size, float number, float* y) noexcept;
using Backward = void (*)(const float* dy, const float* saved, std::int64_t size,
                          float* dx) noexcept;
using BackwardWith = void (*)(const float* dy, const float* saved, std::int64_t size, float number,
                              float* dx) noexcept;

template <Forward kernel>
Prepared forward(const Call& call) {
  const std::int64_t size = common_size(call, 1);
  const auto* x = call.in<float>(0);
  auto* y = call.out<float>(0);
  return {[=](char*) { kernel(x, size, y); }};
}

template <Backward kernel>
Prepared backward(const Call& call) {
  const std::int64_t size = common_size(call, 2);
  const auto *dy = call.in<float>(0), *saved = call.in<float>(1);
  auto* dx = call.out<float>(0);
  return {[=](char*) { kernel(dy, saved, size, dx); }};
}

template <ForwardWith kernel>
Prepared forward_with(const Call& call, const char* attribute) {
  const std::int64_t size = common_size(call, 1);
  const auto number = float(call.number(attribute));
  const auto* x = call.in<float>(0);
  auto* y = call.out<float>(0);
  return {[=](char*) { kernel(x, size, number, y); }};
}

template <BackwardWith kernel>
Prepared backward_with(const Call& call, const char* attribute) {
  const std::int64_t size = common_size(call, 2);
  const auto number = float(call.number(attribute));
  const auto *dy = call.in<float>(0), *saved = call.in<float>(1);
  auto* dx = call.out<float>(0);
  return {[=](char*) { kernel(dy, saved, size, number, dx); }};
}

Prepared prepare_leaky_relu_forward(const Call& call) {
  return forward_with<leaky_relu_forward>(call, "negative_slope");
}

Prepared prepare_leaky_relu_backward(const Call& call) {
  return backward_with<leaky_relu_backward>(call, "negative_slope");
}

Prepared prepare_elu_forward(const Call& call) { return forward_with<elu_forward>(call, "alpha"); }

Prepared prepare_elu_backward(const Call& call) {
  return backward_with<elu_backward>(call, "alpha");
}

// Returns C of an array seen as (rows, C): softmax is over the last axis.
std::int64_t row_length(const Call& call, const Array& array) {
  call.require(!array.shape.empty() && array.shape.back() >= 1,
               "softmax needs a last axis with at least one class");
  return array.shape.back();
}

Prepared prepare_softmax_forward(const Call& call) {
  const std::int64_t size = common_size(call, 1), c = row_length(call, call.read(0));
  const auto* x = call.in<float>(0);
  auto* y = call.out<float>(0);
  return {[=](char*) { softmax_forward(x, size / c, c, y); }};
}

Prepared prepare_softmax_backward(const Call& call) {
  const std::int64_t size = common_size(call, 2), c = row_length(call, call.read(0));
  const auto *dy = call.in<float>(0), *y = call.in<float>(1);
  auto* dx = call.out<float>(0);
  return {[=](char*) { softmax_backward(dy, y, size / c, c, dx); }};
}

}  // namespace

std::vector<Kernel> activation_kernels() {
  return {
      {"relu_forward", forward<relu_forward>},
      {"relu_backward", backward<relu_backward>},
      {"relu6_forward", forward<relu6_forward>},
      {"relu6_backward", backward<relu6_backward>},
      {"sigmoid_forward", forward<sigmoid_forward>},
      {"sigmoid_backward", backward<sigmoid_backward>},
      {"tanh_forward", forward<tanh_forward>},
      {"tanh_backward", backward<tanh_backward>},
      {"silu_forward", forward<silu_forward>},
      {"silu_backward", backward<silu_backward>},
      {"leaky_relu_forward", prepare_leaky_relu_forward},
      {"leaky_relu_backward", prepare_leaky_relu_backward},
      {"elu_forward", prepare_elu_forward},
      {"elu_backward", prepare_elu_backward},
      {"softmax_forward", prepare_softmax_forward},
      {"softmax_backward", prepare_softmax_backward},
  };
}

}  // namespace minicnn
