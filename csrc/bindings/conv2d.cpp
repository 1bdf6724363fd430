#include "kernels/conv2d/conv2d.hpp"

#include <algorithm>
#include <memory>

#include "bindings/call.hpp"
#include "kernels/conv2d/chooser.hpp"

namespace minicnn {
namespace {

// Numbers in a padded image and in a batch of these, before or after the convolution. With at most
// these, every size in bytes that a kernel computes stays below 2^63.
constexpr double kMaxInImage = 1e12, kMaxInBatch = 1e15;

// "auto", also where the caller says nothing, or the name of one; where that cannot be used,
// direct.
Algorithm algorithm_of(const Call& call) {
  const std::string name = call.has("algorithm") ? call.text("algorithm") : "auto";
  if (name == "auto") return Algorithm::automatic;
  if (name == "direct") return Algorithm::direct;
  if (name == "pool_sparse") return Algorithm::pool_sparse;
  if (name == "relu_sparse") return Algorithm::relu_sparse;
  call.demand(name == "winograd",
              "algorithm must be \"auto\", \"direct\", \"winograd\", \"pool_sparse\" or "
              "\"relu_sparse\"");
  return Algorithm::winograd;
}

// The arrays that give a convolution its shapes; the image comes as an attribute.
Conv2D conv2d_of(const Call& call, std::int64_t n, std::int64_t channels, const Array& w) {
  const Window2D window = call.window("window");
  const auto [h, width] = call.pair("image");
  const std::int64_t groups = call.integer("groups"), filters = call.shape4(w).c;
  call.demand(h >= 1 && width >= 1 && channels >= 1 && filters >= 1, "only the batch may be empty");
  call.demand(groups >= 1 && channels % groups == 0 && filters % groups == 0,
              "groups must divide channels and filters");
  call.demand_shape(w, {window.kh, window.kw, channels / groups, filters});
  const double rows = double(h) + double(window.top + window.bottom);
  const double columns = double(width) + double(window.left + window.right);
  const double numbers = rows * columns * double(std::max(channels, filters));
  call.demand(numbers <= kMaxInImage && numbers * double(n) <= kMaxInBatch,
              "the padded images are too large");
  call.demand(rows > double(window.kh - 1) * double(window.dy) &&
                  columns > double(window.kw - 1) * double(window.dx),
              "the kernel does not fit the padded image");
  return {{n, h, width, channels}, window, groups, filters, algorithm_of(call)};
}

// From x, which must then have the image's shape.
Conv2D conv2d_of_x(const Call& call, const Array& x, const Array& w) {
  const Shape4 xs = call.shape4(x);
  const Conv2D conv = conv2d_of(call, xs.n, xs.c, w);
  call.demand_shape(x, {xs.n, conv.x.h, conv.x.w, xs.c});
  return conv;
}

// From dy, whose channels are filters, and w.
Conv2D conv2d_of_dy(const Call& call, const Array& dy, const Array& w) {
  const std::int64_t groups = call.integer("groups");
  const Shape4 ws = call.shape4(w), dys = call.shape4(dy);
  call.demand(groups >= 1 && groups <= dys.c && double(ws.w) * double(groups) <= kMaxInImage,
              "groups must divide filters");
  return conv2d_of(call, dys.n, ws.w * groups, w);  // (KH, KW, C / groups, filters)
}

void demand_shape(const Call& call, const Array& array, const Shape4& shape) {
  call.demand_shape(array, {shape.n, shape.h, shape.w, shape.c});
}

PooledConv2D pooled_of(const Call& call, const Conv2D& conv) {
  const Window2D pool = call.window("pool");
  const std::string activation = call.text("activation");
  call.demand(activation == "relu" || activation == "linear",
              "activation must be \"relu\" or \"linear\"");
  call.demand(pool.kh <= 255 && pool.kw <= 255 && pool.kh * pool.kw <= 255,
              "the pooling window must have at most 255 cells");
  call.demand(pool.dy == 1 && pool.dx == 1, "the pooling window must not be dilated");
  call.demand(
      pool.top < pool.kh && pool.bottom < pool.kh && pool.left < pool.kw && pool.right < pool.kw,
      "a pooling window must not see padding only");
  call.demand(conv.oh() + pool.top + pool.bottom >= pool.kh &&
                  conv.ow() + pool.left + pool.right >= pool.kw,
              "the pooling window does not fit the convolution's output");
  return {conv, pool, activation == "relu"};
}

// With the attribute keep_weights, what is derived from the weights outlasts a run.
std::shared_ptr<KeptWeights> kept_weights(const Call& call, const Conv2D& conv, const float* w,
                                          Algorithm algorithm) {
  const bool wanted = call.has("keep_weights") && call.flag("keep_weights");
  if (!wanted || algorithm != Algorithm::winograd) return nullptr;
  if (call.store() != nullptr) return call.store()->of(conv, w);
  return std::make_shared<KeptWeights>(conv);
}

template <bool kRelu>
Prepared prepare_forward(const Call& call) {
  const Conv2D conv = conv2d_of_x(call, call.read(0), call.read(1));
  if (call.reads(2)) call.demand_shape(call.read(2), {conv.filters});
  demand_shape(call, call.write(0), conv.y());
  const float *x = call.in<float>(0), *w = call.in<float>(1), *b = call.in<float>(2);
  float* y = call.out<float>(0);
  const auto kept = kept_weights(call, conv, w, choose_forward(conv));
  return {[=](char* scratch) { conv2d_forward(conv, x, w, b, kRelu, y, scratch, kept.get()); },
          conv2d_forward_scratch(conv)};
}

// After dy, with ReLU, comes y: its output.
template <bool kRelu>
const float* output_of_relu(const Call& call, const Conv2D& conv) {
  if (kRelu) demand_shape(call, call.read(1), conv.y());
  return kRelu ? call.in<float>(1) : nullptr;
}

// At last place, behind a ReLU, comes x: its output.
template <bool kBehindRelu>
const float* input_behind_relu(const Call& call, std::size_t place, const Conv2D& conv) {
  if (kBehindRelu) demand_shape(call, call.read(place), conv.x);
  return kBehindRelu ? call.in<float>(place) : nullptr;
}

template <bool kRelu, bool kBehindRelu = false>
Prepared prepare_backward_input(const Call& call) {
  constexpr std::size_t kW = kRelu ? 2 : 1;
  const Conv2D conv = conv2d_of_dy(call, call.read(0), call.read(kW));
  demand_shape(call, call.read(0), conv.y());
  demand_shape(call, call.write(0), conv.x);
  const float *dy = call.in<float>(0), *w = call.in<float>(kW);
  const float* y = output_of_relu<kRelu>(call, conv);
  const float* x = input_behind_relu<kBehindRelu>(call, kW + 1, conv);
  float* dx = call.out<float>(0);
  return {[=](char* scratch) { conv2d_backward_input(conv, dy, y, w, x, dx, scratch); },
          conv2d_backward_input_scratch(conv, kRelu, kBehindRelu)};
}

template <bool kRelu>
Prepared prepare_backward_weights(const Call& call) {
  constexpr std::size_t kX = kRelu ? 2 : 1;
  const Conv2D conv = conv2d_of_x(call, call.read(kX), call.write(0));
  demand_shape(call, call.read(0), conv.y());
  if (call.writes(1)) call.demand_shape(call.write(1), {conv.filters});
  const float *dy = call.in<float>(0), *x = call.in<float>(kX);
  const float* y = output_of_relu<kRelu>(call, conv);
  float *dw = call.out<float>(0), *db = call.out<float>(1);
  return {[=](char* scratch) { conv2d_backward_weights(conv, dy, y, x, dw, db, scratch); },
          conv2d_backward_weights_scratch(conv, kRelu)};
}

// The moments are a third write: conv2d_max_pool2d_moments_forward.
template <bool kMoments>
Prepared prepare_pooled_forward(const Call& call) {
  PooledConv2D op = pooled_of(call, conv2d_of_x(call, call.read(0), call.read(1)));
  op.moments = kMoments;
  if (call.reads(2)) call.demand_shape(call.read(2), {op.conv.filters});
  demand_shape(call, call.write(0), op.y());
  demand_shape(call, call.write(1), op.y());
  const float *x = call.in<float>(0), *w = call.in<float>(1), *b = call.in<float>(2);
  float* y = call.out<float>(0);
  std::uint8_t* argmax = call.out<std::uint8_t>(1);
  if (kMoments) call.demand_shape(call.write(2), {2, op.conv.filters});
  double* moments = kMoments ? call.out<double>(2) : nullptr;
  const auto kept = kept_weights(call, op.conv, w, choose_pooled_forward(op));
  return {[=](char* scratch) {
            conv2d_max_pool2d_forward(op, x, w, b, y, argmax, moments, scratch, kept.get());
          },
          conv2d_max_pool2d_forward_scratch(op)};
}

// dy and argmax, which both gradients read first.
void demand_pooled(const Call& call, const PooledConv2D& op) {
  for (std::size_t i = 0; i < 2; ++i) demand_shape(call, call.read(i), op.y());
}

template <bool kBehindRelu>
Prepared prepare_pooled_backward_input(const Call& call) {
  const PooledConv2D op = pooled_of(call, conv2d_of_dy(call, call.read(0), call.read(2)));
  demand_pooled(call, op);
  demand_shape(call, call.write(0), op.conv.x);
  const float *dy = call.in<float>(0), *w = call.in<float>(2);
  const std::uint8_t* argmax = call.in<std::uint8_t>(1);
  const float* x = input_behind_relu<kBehindRelu>(call, 3, op.conv);
  float* dx = call.out<float>(0);
  return {
      [=](char* scratch) { conv2d_max_pool2d_backward_input(op, dy, argmax, w, x, dx, scratch); },
      conv2d_max_pool2d_backward_input_scratch(op, kBehindRelu)};
}

Prepared prepare_pooled_backward_weights(const Call& call) {
  const PooledConv2D op = pooled_of(call, conv2d_of_x(call, call.read(2), call.write(0)));
  demand_pooled(call, op);
  if (call.writes(1)) call.demand_shape(call.write(1), {op.conv.filters});
  const float *dy = call.in<float>(0), *x = call.in<float>(2);
  const std::uint8_t* argmax = call.in<std::uint8_t>(1);
  float *dw = call.out<float>(0), *db = call.out<float>(1);
  return {[=](char* scratch) {
            conv2d_max_pool2d_backward_weights(op, dy, argmax, x, dw, db, scratch);
          },
          conv2d_max_pool2d_backward_weights_scratch(op)};
}

}  // namespace

std::vector<Kernel> conv2d_kernels() {
  return {{"conv2d_forward", prepare_forward<false>},
          {"conv2d_backward_input", prepare_backward_input<false>},
          {"conv2d_backward_input_relu", prepare_backward_input<false, true>},
          {"conv2d_backward_weights", prepare_backward_weights<false>},
          {"conv2d_relu_forward", prepare_forward<true>},
          {"conv2d_relu_backward_input", prepare_backward_input<true>},
          {"conv2d_relu_backward_input_relu", prepare_backward_input<true, true>},
          {"conv2d_relu_backward_weights", prepare_backward_weights<true>},
          {"conv2d_max_pool2d_forward", prepare_pooled_forward<false>},
          {"conv2d_max_pool2d_moments_forward", prepare_pooled_forward<true>},
          {"conv2d_max_pool2d_backward_input", prepare_pooled_backward_input<false>},
          {"conv2d_max_pool2d_backward_input_relu", prepare_pooled_backward_input<true>},
          {"conv2d_max_pool2d_backward_weights", prepare_pooled_backward_weights}};
}

}  // namespace minicnn
