#include "kernels/conv2d/conv2d.hpp"

#include <algorithm>
#include <memory>

#include "bindings/call.hpp"
#include "kernels/conv2d/algorithm_selection.hpp"

namespace minicnn {
namespace {

// The most values in a padded image and in a batch of them, before or after the convolution: then
// every size in bytes that a kernel computes stays below 2^63.
constexpr double kMaxImageValues = 1e12, kMaxBatchValues = 1e15;

// Reads the attribute `algorithm`, "auto" by default. An algorithm that does not fit the shapes is
// replaced by the direct one later.
Algorithm algorithm_of(const Call& call) {
  const std::string name = call.has("algorithm") ? call.text("algorithm") : "auto";
  if (name == "auto") return Algorithm::automatic;
  if (name == "direct") return Algorithm::direct;
  if (name == "pool_sparse") return Algorithm::pool_sparse;
  if (name == "relu_sparse") return Algorithm::relu_sparse;
  call.require(name == "winograd",
               "algorithm must be \"auto\", \"direct\", \"winograd\", \"pool_sparse\" or "
               "\"relu_sparse\"");
  return Algorithm::winograd;
}

// The shapes of a convolution; the image size is an attribute.
Conv2D conv2d_of(const Call& call, std::int64_t n, std::int64_t channels, const Array& w) {
  const Window2D window = call.window("window");
  const auto [h, width] = call.pair("image");
  const std::int64_t groups = call.integer("groups"), filters = call.shape4(w).c;
  call.require(h >= 1 && width >= 1 && channels >= 1 && filters >= 1,
               "only the batch may have length 0");
  call.require(groups >= 1 && channels % groups == 0 && filters % groups == 0,
               "groups must divide channels and filters");
  call.require_shape(w, {window.kh, window.kw, channels / groups, filters});
  const double rows = double(h) + double(window.top + window.bottom);
  const double columns = double(width) + double(window.left + window.right);
  const double values = rows * columns * double(std::max(channels, filters));
  call.require(values <= kMaxImageValues && values * double(n) <= kMaxBatchValues,
               "the padded images are too large");
  call.require(rows > double(window.kh - 1) * double(window.dy) &&
                   columns > double(window.kw - 1) * double(window.dx),
               "the kernel must fit the padded image");
  return {{n, h, width, channels}, window, groups, filters, algorithm_of(call)};
}

// The shapes of a convolution from x and w; x must have the image's size.
Conv2D conv2d_of_x(const Call& call, const Array& x, const Array& w) {
  const Shape4 xs = call.shape4(x);
  const Conv2D conv = conv2d_of(call, xs.n, xs.c, w);
  call.require_shape(x, {xs.n, conv.x.h, conv.x.w, xs.c});
  return conv;
}

// The shapes of a convolution from dy (N, OH, OW, filters) and w.
Conv2D conv2d_of_dy(const Call& call, const Array& dy, const Array& w) {
  const std::int64_t groups = call.integer("groups");
  const Shape4 ws = call.shape4(w), dys = call.shape4(dy);
  call.require(groups >= 1 && groups <= dys.c && double(ws.w) * double(groups) <= kMaxImageValues,
               "groups must divide filters");
  return conv2d_of(call, dys.n, ws.w * groups, w);  // (KH, KW, C / groups, filters)
}

void require_shape(const Call& call, const Array& array, const Shape4& shape) {
  call.require_shape(array, {shape.n, shape.h, shape.w, shape.c});
}

PooledConv2D pooled_of(const Call& call, const Conv2D& conv) {
  const Window2D pool = call.window("pool");
  const std::string activation = call.text("activation");
  call.require(activation == "relu" || activation == "linear",
               "activation must be \"relu\" or \"linear\"");
  call.require(pool.kh <= 255 && pool.kw <= 255 && pool.kh * pool.kw <= 255,
               "the pooling window must have at most 255 cells");
  call.require(pool.dy == 1 && pool.dx == 1, "the pooling window must not be dilated");
  call.require(
      pool.top < pool.kh && pool.bottom < pool.kh && pool.left < pool.kw && pool.right < pool.kw,
      "a pooling window must not contain padding only");
  call.require(conv.oh() + pool.top + pool.bottom >= pool.kh &&
                   conv.ow() + pool.left + pool.right >= pool.kw,
               "the pooling window must fit the convolution's padded output");
  return {conv, pool, activation == "relu"};
}

// With the attribute cache_weights, what is derived from the weights is kept between runs.
std::shared_ptr<TransformedWeights> cached_weights(const Call& call, const Conv2D& conv,
                                                   const float* w, Algorithm algorithm) {
  const bool wanted = call.has("cache_weights") && call.flag("cache_weights");
  if (!wanted || algorithm != Algorithm::winograd) return nullptr;
  if (call.weight_cache() != nullptr) return call.weight_cache()->of(conv, w);
  return std::make_shared<TransformedWeights>(conv);
}

template <bool kRelu>
Prepared prepare_forward(const Call& call) {
  const Conv2D conv = conv2d_of_x(call, call.read(0), call.read(1));
  if (call.reads(2)) call.require_shape(call.read(2), {conv.filters});
  require_shape(call, call.write(0), conv.y());
  const float *x = call.in<float>(0), *w = call.in<float>(1), *b = call.in<float>(2);
  float* y = call.out<float>(0);
  const auto cached = cached_weights(call, conv, w, select_forward(conv));
  return {[=](char* scratch) { conv2d_forward(conv, x, w, b, kRelu, y, scratch, cached.get()); },
          conv2d_forward_scratch(conv)};
}

// With a ReLU, read 1 is its output y.
template <bool kRelu>
const float* output_of_relu(const Call& call, const Conv2D& conv) {
  if (kRelu) require_shape(call, call.read(1), conv.y());
  return kRelu ? call.in<float>(1) : nullptr;
}

// If the convolution's input is the output of a ReLU, whose mask dx then gets, the last read is x.
template <bool kMasksDx>
const float* relu_output_before(const Call& call, std::size_t index, const Conv2D& conv) {
  if (kMasksDx) require_shape(call, call.read(index), conv.x);
  return kMasksDx ? call.in<float>(index) : nullptr;
}

template <bool kRelu, bool kMasksDx = false>
Prepared prepare_backward_input(const Call& call) {
  constexpr std::size_t kW = kRelu ? 2 : 1;
  const Conv2D conv = conv2d_of_dy(call, call.read(0), call.read(kW));
  require_shape(call, call.read(0), conv.y());
  require_shape(call, call.write(0), conv.x);
  const float *dy = call.in<float>(0), *w = call.in<float>(kW);
  const float* y = output_of_relu<kRelu>(call, conv);
  const float* x = relu_output_before<kMasksDx>(call, kW + 1, conv);
  float* dx = call.out<float>(0);
  return {[=](char* scratch) { conv2d_backward_input(conv, dy, y, w, x, dx, scratch); },
          conv2d_backward_input_scratch(conv, kRelu, kMasksDx)};
}

template <bool kRelu>
Prepared prepare_backward_weights(const Call& call) {
  constexpr std::size_t kX = kRelu ? 2 : 1;
  const Conv2D conv = conv2d_of_x(call, call.read(kX), call.write(0));
  require_shape(call, call.read(0), conv.y());
  if (call.writes(1)) call.require_shape(call.write(1), {conv.filters});
  const float *dy = call.in<float>(0), *x = call.in<float>(kX);
  const float* y = output_of_relu<kRelu>(call, conv);
  float *dw = call.out<float>(0), *db = call.out<float>(1);
  return {[=](char* scratch) { conv2d_backward_weights(conv, dy, y, x, dw, db, scratch); },
          conv2d_backward_weights_scratch(conv, kRelu)};
}

// With kMoments there is a third write, the moments.
template <bool kMoments>
Prepared prepare_pooled_forward(const Call& call) {
  PooledConv2D op = pooled_of(call, conv2d_of_x(call, call.read(0), call.read(1)));
  op.moments = kMoments;
  if (call.reads(2)) call.require_shape(call.read(2), {op.conv.filters});
  require_shape(call, call.write(0), op.y());
  require_shape(call, call.write(1), op.y());
  const float *x = call.in<float>(0), *w = call.in<float>(1), *b = call.in<float>(2);
  float* y = call.out<float>(0);
  std::uint8_t* argmax = call.out<std::uint8_t>(1);
  if (kMoments) call.require_shape(call.write(2), {2, op.conv.filters});
  double* moments = kMoments ? call.out<double>(2) : nullptr;
  const auto cached = cached_weights(call, op.conv, w, select_pooled_forward(op));
  return {[=](char* scratch) {
            conv2d_max_pool2d_forward(op, x, w, b, y, argmax, moments, scratch, cached.get());
          },
          conv2d_max_pool2d_forward_scratch(op)};
}

// Both gradients read dy and argmax first.
void require_pooled(const Call& call, const PooledConv2D& op) {
  for (std::size_t i = 0; i < 2; ++i) require_shape(call, call.read(i), op.y());
}

template <bool kMasksDx>
Prepared prepare_pooled_backward_input(const Call& call) {
  const PooledConv2D op = pooled_of(call, conv2d_of_dy(call, call.read(0), call.read(2)));
  require_pooled(call, op);
  require_shape(call, call.write(0), op.conv.x);
  const float *dy = call.in<float>(0), *w = call.in<float>(2);
  const std::uint8_t* argmax = call.in<std::uint8_t>(1);
  const float* x = relu_output_before<kMasksDx>(call, 3, op.conv);
  float* dx = call.out<float>(0);
  return {
      [=](char* scratch) { conv2d_max_pool2d_backward_input(op, dy, argmax, w, x, dx, scratch); },
      conv2d_max_pool2d_backward_input_scratch(op, kMasksDx)};
}

Prepared prepare_pooled_backward_weights(const Call& call) {
  const PooledConv2D op = pooled_of(call, conv2d_of_x(call, call.read(2), call.write(0)));
  require_pooled(call, op);
  if (call.writes(1)) call.require_shape(call.write(1), {op.conv.filters});
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
          // The transposed convolution: forward is the gradient by the input of a convolution, and
          // its gradients are that convolution and its gradient by the weights. The arrays are in
          // the same places.
          {"conv2d_transpose_forward", prepare_backward_input<false>},
          {"conv2d_transpose_backward_input", prepare_forward<false>},
          {"conv2d_transpose_backward_weights", prepare_backward_weights<false>},
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
