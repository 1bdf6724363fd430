#include "bindings/call.hpp"
#include "kernels/upsample2d.hpp"

namespace minicnn {
namespace {

constexpr std::int64_t kMaxLength = (std::int64_t{1} << 31) - 1;

// Checks both arrays against each other; `small` is x or dx.
Upsampling scale_of(const Call& call, const Array& small, const Array& large) {
  const Shape4 xs = call.shape4(small);
  const auto [rows, columns] = call.pair("size");
  const std::string interpolation = call.text("interpolation");
  call.require(interpolation == "nearest" || interpolation == "bilinear",
               "interpolation must be nearest or bilinear");
  call.require(xs.h >= 1 && xs.w >= 1 && xs.c >= 1, "only the batch may have length 0");
  call.require(xs.h <= kMaxLength && xs.w <= kMaxLength,
               "an image must have fewer than 2^31 rows and columns");
  call.require(rows >= 1 && columns >= 1 && rows <= kMaxLength && columns <= kMaxLength,
               "size must be >= 1 and less than 2^31");
  call.require_shape(large, {xs.n, xs.h * rows, xs.w * columns, xs.c});
  return {rows, columns, interpolation == "bilinear"};
}

Prepared prepare_forward(const Call& call) {
  const Shape4 xs = call.shape4(call.read(0));
  const Upsampling scale = scale_of(call, call.read(0), call.write(0));
  const auto* x = call.in<float>(0);
  auto* y = call.out<float>(0);
  return {[=](char*) { upsample2d_forward(x, xs, scale, y); }};
}

Prepared prepare_backward(const Call& call) {
  const Shape4 xs = call.shape4(call.write(0));
  const Upsampling scale = scale_of(call, call.write(0), call.read(0));
  const auto* dy = call.in<float>(0);
  auto* dx = call.out<float>(0);
  return {[=](char*) { upsample2d_backward(dy, xs, scale, dx); }};
}

}  // namespace

std::vector<Kernel> upsample_kernels() {
  return {{"upsample2d_forward", prepare_forward}, {"upsample2d_backward", prepare_backward}};
}

}  // namespace minicnn
