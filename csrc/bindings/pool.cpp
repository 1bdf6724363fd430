#include "bindings/call.hpp"
#include "kernels/average_pool2d.hpp"
#include "kernels/global_pool2d.hpp"
#include "kernels/max_pool2d.hpp"

namespace minicnn {
namespace {

constexpr std::int64_t kMaxCells = (std::int64_t{1} << 31) - 1;  // an argmax is an int32

// The images that are pooled: their sizes are an attribute, too.
Shape4 images(const Call& call, const Array& array) {
  const Shape4 xs = call.shape4(array);
  const auto [h, w] = call.pair("image");
  call.require_shape(array, {xs.n, h, w, xs.c});
  call.require(h >= 1 && w >= 1 && xs.c >= 1, "only the batch may have length 0");
  call.require(h <= kMaxCells / w, "an image must have fewer than 2^31 pixels");
  return xs;
}

// A window of which every position contains a cell of the image: the kernels rely on it.
Window2D pool_window(const Call& call, const Shape4& xs) {
  const Window2D w = call.window("window");
  call.require(w.dy == 1 && w.dx == 1, "a pooling window must have dilation 1");
  call.require(w.kh <= kMaxCells / w.kw, "a pooling window must have fewer than 2^31 cells");
  call.require(xs.h + w.top + w.bottom >= w.kh && xs.w + w.left + w.right >= w.kw,
               "the pooling window must fit the padded image");
  call.require(w.top < w.kh && (w.out_h(xs.h) - 1) * w.sy - w.top < xs.h,
               "every pooling window must contain a row of the image, not padding only");
  call.require(w.left < w.kw && (w.out_w(xs.w) - 1) * w.sx - w.left < xs.w,
               "every pooling window must contain a column of the image, not padding only");
  return w;
}

std::vector<std::int64_t> pooled(const Shape4& xs, const Window2D& w) {
  return {xs.n, w.out_h(xs.h), w.out_w(xs.w), xs.c};
}

Prepared prepare_max_pool2d_forward(const Call& call) {
  const Shape4 xs = images(call, call.read(0));
  const Window2D window = pool_window(call, xs);
  call.require_shape(call.write(0), pooled(xs, window));
  call.require_shape(call.write(1), pooled(xs, window));
  const auto* x = call.in<float>(0);
  auto* y = call.out<float>(0);
  auto* argmax = call.out<std::int32_t>(1);
  return {[=](char*) { max_pool2d_forward(x, xs, window, y, argmax); }};
}

Prepared prepare_max_pool2d_backward(const Call& call) {
  const Shape4 xs = images(call, call.write(0));
  const Window2D window = pool_window(call, xs);
  call.require_shape(call.read(0), pooled(xs, window));
  call.require_shape(call.read(1), pooled(xs, window));
  const auto* dy = call.in<float>(0);
  const auto* argmax = call.in<std::int32_t>(1);
  auto* dx = call.out<float>(0);
  return {[=](char*) { max_pool2d_backward(dy, argmax, xs, window, dx); }};
}

Prepared prepare_average_pool2d_forward(const Call& call) {
  const Shape4 xs = images(call, call.read(0));
  const Window2D window = pool_window(call, xs);
  call.require_shape(call.write(0), pooled(xs, window));
  const auto* x = call.in<float>(0);
  auto* y = call.out<float>(0);
  return {[=](char* scratch) { average_pool2d_forward(x, xs, window, y, scratch); },
          average_pool2d_scratch(xs.c)};
}

Prepared prepare_average_pool2d_backward(const Call& call) {
  const Shape4 xs = images(call, call.write(0));
  const Window2D window = pool_window(call, xs);
  call.require_shape(call.read(0), pooled(xs, window));
  const auto* dy = call.in<float>(0);
  auto* dx = call.out<float>(0);
  return {[=](char*) { average_pool2d_backward(dy, xs, window, dx); }};
}

Prepared prepare_global_max_pool2d_forward(const Call& call) {
  const Shape4 xs = images(call, call.read(0));
  call.require_shape(call.write(0), {xs.n, xs.c});
  call.require_shape(call.write(1), {xs.n, xs.c});
  const auto* x = call.in<float>(0);
  auto* y = call.out<float>(0);
  auto* argmax = call.out<std::int32_t>(1);
  return {[=](char*) { global_max_pool2d_forward(x, xs, y, argmax); }};
}

Prepared prepare_global_max_pool2d_backward(const Call& call) {
  const Shape4 xs = images(call, call.write(0));
  call.require_shape(call.read(0), {xs.n, xs.c});
  call.require_shape(call.read(1), {xs.n, xs.c});
  const auto* dy = call.in<float>(0);
  const auto* argmax = call.in<std::int32_t>(1);
  auto* dx = call.out<float>(0);
  return {[=](char*) { global_max_pool2d_backward(dy, argmax, xs, dx); }};
}

Prepared prepare_global_average_pool2d_forward(const Call& call) {
  const Shape4 xs = images(call, call.read(0));
  call.require_shape(call.write(0), {xs.n, xs.c});
  const auto* x = call.in<float>(0);
  auto* y = call.out<float>(0);
  return {[=](char* scratch) { global_average_pool2d_forward(x, xs, y, scratch); },
          global_average_pool2d_scratch(xs.c)};
}

Prepared prepare_global_average_pool2d_backward(const Call& call) {
  const Shape4 xs = images(call, call.write(0));
  call.require_shape(call.read(0), {xs.n, xs.c});
  const auto* dy = call.in<float>(0);
  auto* dx = call.out<float>(0);
  return {[=](char*) { global_average_pool2d_backward(dy, xs, dx); }};
}

}  // namespace

std::vector<Kernel> pool_kernels() {
  return {
      {"max_pool2d_forward", prepare_max_pool2d_forward},
      {"max_pool2d_backward", prepare_max_pool2d_backward},
      {"average_pool2d_forward", prepare_average_pool2d_forward},
      {"average_pool2d_backward", prepare_average_pool2d_backward},
      {"global_max_pool2d_forward", prepare_global_max_pool2d_forward},
      {"global_max_pool2d_backward", prepare_global_max_pool2d_backward},
      {"global_average_pool2d_forward", prepare_global_average_pool2d_forward},
      {"global_average_pool2d_backward", prepare_global_average_pool2d_backward},
  };
}

}  // namespace minicnn
