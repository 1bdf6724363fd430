#include <cmath>

#include "bindings/call.hpp"
#include "kernels/batch_norm.hpp"
#include "kernels/dropout.hpp"
#include "kernels/elementwise.hpp"
#include "kernels/local_response_norm.hpp"

namespace minicnn {
namespace {

constexpr auto kFloat = std::int64_t(sizeof(float));

ChannelRows channels(const Call& call, const Array& array) {
  call.require(array.shape.size() >= 2 && array.shape.back() >= 1,
               "an array must have at least two axes: first the batch, last at least one channel");
  return {array.size() / array.shape.back(), array.shape.back()};
}

void require_same_shape(const Call& call, const Array& array, const Array& model) {
  call.require_shape(array, model.shape);
}

void require_per_channel(const Call& call, const Array& array, const ChannelRows& size) {
  call.require_shape(array, {size.c});
}

// Keeps a value with probability 1 - rate, to within 2^-24; the RNG key is the read at `rng_key`.
Dropout dropout_of(const Call& call, std::size_t rng_key) {
  call.require_shape(call.read(rng_key), {4});
  const double rate = call.number("rate");
  call.require(rate >= 0.0 && rate < 1.0, "rate must be in [0, 1)");
  const std::int64_t purpose = call.integer("purpose");
  call.require(purpose >= 0 && purpose <= UINT32_MAX, "purpose must fit 32 bits");
  return {std::uint32_t(std::floor(rate * (1 << 24) + 0.5)), float(1.0 / (1.0 - rate)),
          std::uint32_t(purpose), call.in<std::uint32_t>(rng_key)};
}

Prepared prepare_dropout(const Call& call) {
  require_same_shape(call, call.write(0), call.read(0));
  const std::int64_t size = call.read(0).size();
  const Dropout rule = dropout_of(call, 1);
  const auto* x = call.in<float>(0);
  auto* y = call.out<float>(0);
  return {[=](char*) { dropout(x, size, rule, y); }};
}

template <bool kDropout>
Prepared prepare_batch_norm_training_forward(const Call& call) {
  const ChannelRows size = channels(call, call.read(0));
  require_same_shape(call, call.write(0), call.read(0));
  for (std::size_t i = 1; i < 5; ++i) {
    require_per_channel(call, call.read(i), size);
    require_per_channel(call, call.write(i), size);
  }
  const auto *x = call.in<float>(0), *moving_mean = call.in<float>(3),
             *moving_variance = call.in<float>(4);
  auto* y = call.out<float>(0);
  if (call.reads(5)) call.require_shape(call.read(5), {2, size.c});
  const BatchNormTraining norm{call.in<float>(1),  call.in<float>(2),       call.in<double>(5),
                               call.out<float>(1), call.out<float>(2),      call.out<float>(3),
                               call.out<float>(4), call.number("momentum"), call.number("epsilon")};
  const Dropout rule = kDropout ? dropout_of(call, 6) : Dropout{};
  return {[=](char* scratch) {
            copy(moving_mean, size.c * kFloat, norm.moving_mean);
            copy(moving_variance, size.c * kFloat, norm.moving_variance);
            batch_norm_training_forward(x, size, norm, kDropout ? &rule : nullptr, y, scratch);
          },
          batch_norm_scratch(size)};
}

// Checks the shapes of a backward kernel: dy and dx are like x, the other arrays have one value per
// channel.
ChannelRows require_backward_shapes(const Call& call) {
  const ChannelRows size = channels(call, call.read(1));
  require_same_shape(call, call.read(0), call.read(1));
  require_same_shape(call, call.write(0), call.read(1));
  for (std::size_t i = 2; i < 5; ++i) require_per_channel(call, call.read(i), size);
  for (std::size_t i = 1; i < 3; ++i) require_per_channel(call, call.write(i), size);
  return size;
}

BatchNormGradients batch_norm_gradients(const Call& call) {
  return {call.out<float>(0), call.out<float>(1), call.out<float>(2)};
}

template <bool kDropout>
Prepared prepare_batch_norm_training_backward(const Call& call) {
  const ChannelRows size = require_backward_shapes(call);
  const auto *dy = call.in<float>(0), *x = call.in<float>(1);
  const BatchNormStatistics norm{call.in<float>(2), call.in<float>(3), call.in<float>(4)};
  const BatchNormGradients gradients = batch_norm_gradients(call);
  const Dropout rule = kDropout ? dropout_of(call, 5) : Dropout{};
  return {[=](char* scratch) {
            const Dropout* dropout = kDropout ? &rule : nullptr;
            batch_norm_training_backward(dy, x, size, norm, dropout, gradients, scratch);
          },
          batch_norm_scratch(size)};
}

// Inference computes inverse_std at the beginning of its scratch, before the kernel's own scratch,
// since the moving variance changes between runs. Returns the bytes it takes.
std::size_t inverse_std_bytes(const ChannelRows& size) {
  constexpr std::size_t line = 64;
  return (std::size_t(size.c) * sizeof(float) + line - 1) / line * line;
}

Prepared prepare_batch_norm_inference_forward(const Call& call) {
  const ChannelRows size = channels(call, call.read(0));
  require_same_shape(call, call.write(0), call.read(0));
  for (std::size_t i = 1; i < 5; ++i) require_per_channel(call, call.read(i), size);
  const auto *x = call.in<float>(0), *gamma = call.in<float>(1), *beta = call.in<float>(2),
             *mean = call.in<float>(3), *variance = call.in<float>(4);
  const auto epsilon = float(call.number("epsilon"));
  auto* y = call.out<float>(0);
  return {[=](char* scratch) {
            auto* inverse_std = reinterpret_cast<float*>(scratch);
            compute_inverse_std(variance, size.c, epsilon, inverse_std);
            batch_norm_inference_forward(x, size, {gamma, mean, inverse_std}, beta, y);
          },
          inverse_std_bytes(size)};
}

Prepared prepare_batch_norm_inference_backward(const Call& call) {
  const ChannelRows size = require_backward_shapes(call);
  const auto *dy = call.in<float>(0), *x = call.in<float>(1), *gamma = call.in<float>(2),
             *mean = call.in<float>(3), *variance = call.in<float>(4);
  const auto epsilon = float(call.number("epsilon"));
  const BatchNormGradients gradients = batch_norm_gradients(call);
  const std::size_t offset = inverse_std_bytes(size);
  return {[=](char* scratch) {
            auto* inverse_std = reinterpret_cast<float*>(scratch);
            compute_inverse_std(variance, size.c, epsilon, inverse_std);
            batch_norm_inference_backward(dy, x, size, {gamma, mean, inverse_std}, gradients,
                                          scratch + offset);
          },
          offset + batch_norm_scratch(size)};
}

LocalResponseNorm local_response_norm(const Call& call) {
  const LocalResponseNorm norm{call.integer("size"), call.number("alpha"), call.number("beta"),
                               call.number("k")};
  call.require(norm.size >= 1 && norm.size < (std::int64_t{1} << 31), "size must be >= 1");
  return norm;
}

Prepared prepare_local_response_norm_forward(const Call& call) {
  const auto [rows, c] = channels(call, call.read(0));
  require_same_shape(call, call.write(0), call.read(0));
  require_same_shape(call, call.write(1), call.read(0));
  const LocalResponseNorm norm = local_response_norm(call);
  const auto* x = call.in<float>(0);
  auto *y = call.out<float>(0), *scale = call.out<float>(1);
  return {[=, rows = rows, c = c](char* scratch) {
            local_response_norm_forward(x, rows, c, norm, y, scale, scratch);
          },
          local_response_norm_scratch(c)};
}

Prepared prepare_local_response_norm_backward(const Call& call) {
  const auto [rows, c] = channels(call, call.read(0));
  for (std::size_t i = 1; i < 4; ++i) require_same_shape(call, call.read(i), call.read(0));
  require_same_shape(call, call.write(0), call.read(0));
  const LocalResponseNorm norm = local_response_norm(call);
  const auto* dy = call.in<float>(0);
  const LocalResponseNormSaved saved{call.in<float>(1), call.in<float>(2), call.in<float>(3)};
  auto* dx = call.out<float>(0);
  return {[=, rows = rows, c = c](char* scratch) {
            local_response_norm_backward(dy, saved, rows, c, norm, dx, scratch);
          },
          local_response_norm_scratch(c)};
}

}  // namespace

std::vector<Kernel> norm_kernels() {
  return {
      {"dropout_forward", prepare_dropout},
      {"dropout_backward", prepare_dropout},
      {"batch_norm_training_forward", prepare_batch_norm_training_forward<false>},
      {"batch_norm_training_backward", prepare_batch_norm_training_backward<false>},
      {"batch_norm_dropout_forward", prepare_batch_norm_training_forward<true>},
      {"batch_norm_dropout_backward", prepare_batch_norm_training_backward<true>},
      {"batch_norm_inference_forward", prepare_batch_norm_inference_forward},
      {"batch_norm_inference_backward", prepare_batch_norm_inference_backward},
      {"local_response_norm_forward", prepare_local_response_norm_forward},
      {"local_response_norm_backward", prepare_local_response_norm_backward},
  };
}

}  // namespace minicnn
