#include "kernels/activation/activation.hpp"

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

// The value of the activation's parameter, 0 if it has none.
float parameter_of(const Activation& activation, const Call& call) {
  return activation.parameter == nullptr ? 0.0F : float(call.number(activation.parameter));
}

Prepared prepare_forward(const Activation& activation, const Call& call) {
  const std::int64_t size = common_size(call, 1);
  const float parameter = parameter_of(activation, call);
  const auto* x = call.in<float>(0);
  auto* y = call.out<float>(0);
  return {[=, &activation](char*) { activation_forward(activation, x, size, parameter, y); }};
}

Prepared prepare_backward(const Activation& activation, const Call& call) {
  const std::int64_t size = common_size(call, 2);
  const float parameter = parameter_of(activation, call);
  const auto *dy = call.in<float>(0), *saved = call.in<float>(1);
  auto* dx = call.out<float>(0);
  return {
      [=, &activation](char*) { activation_backward(activation, dy, saved, size, parameter, dx); }};
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
  std::vector<Kernel> kernels = {
      {"softmax_forward", prepare_softmax_forward},
      {"softmax_backward", prepare_softmax_backward},
  };
  for (const Activation& activation : activations().functions) {
    const std::string name = activation.name;
    kernels.push_back(
        {name + "_forward", [&](const Call& call) { return prepare_forward(activation, call); }});
    kernels.push_back(
        {name + "_backward", [&](const Call& call) { return prepare_backward(activation, call); }});
  }
  return kernels;
}

}  // namespace minicnn
