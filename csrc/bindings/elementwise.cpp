#include "kernels/elementwise.hpp"

#include "bindings/call.hpp"
#include "kernels/channel_scale.hpp"
#include "kernels/pad_concat.hpp"

namespace minicnn {
namespace {

// Checks that all arrays have the shape of the first one, and returns their size.
std::int64_t common_size(const Call& call, std::size_t reads, std::size_t writes) {
  const auto& shape = call.read(0).shape;
  for (std::size_t i = 1; i < reads; ++i) call.require_shape(call.read(i), shape);
  for (std::size_t i = 0; i < writes; ++i) call.require_shape(call.write(i), shape);
  return call.read(0).size();
}

// --- arithmetic --------------------------------------------------------------------------------

Prepared prepare_add_forward(const Call& call) {
  const std::int64_t size = common_size(call, 2, 1);
  const auto *a = call.in<float>(0), *b = call.in<float>(1);
  auto* y = call.out<float>(0);
  return {[=](char*) { add(a, b, size, y); }};
}

Prepared prepare_add_backward(const Call& call) {
  const std::int64_t bytes = common_size(call, 1, 2) * std::int64_t(sizeof(float));
  const auto* dy = call.in<float>(0);
  auto *da = call.out<float>(0), *db = call.out<float>(1);
  return {[=](char*) {
    copy(dy, bytes, da);
    copy(dy, bytes, db);
  }};
}

Prepared prepare_multiply_forward(const Call& call) {
  const std::int64_t size = common_size(call, 2, 1);
  const auto *a = call.in<float>(0), *b = call.in<float>(1);
  auto* y = call.out<float>(0);
  return {[=](char*) { multiply(a, b, size, y); }};
}

Prepared prepare_multiply_backward(const Call& call) {
  const std::int64_t size = common_size(call, 3, 2);
  const auto *dy = call.in<float>(0), *a = call.in<float>(1), *b = call.in<float>(2);
  auto *da = call.out<float>(0), *db = call.out<float>(1);
  return {[=](char*) {
    multiply(dy, b, size, da);
    multiply(dy, a, size, db);
  }};
}

Prepared prepare_rescale_forward(const Call& call) {
  const std::int64_t size = common_size(call, 1, 1);
  const auto factor = float(call.number("scale")), offset = float(call.number("offset"));
  auto* y = call.out<float>(0);
  if (call.read(0).dtype == py::format_descriptor<std::uint8_t>::c) {
    const auto* x = call.in<std::uint8_t>(0);
    return {[=](char*) { rescale(x, size, factor, offset, y); }};
  }
  const auto* x = call.in<float>(0);
  return {[=](char*) { rescale(x, size, factor, offset, y); }};
}

Prepared prepare_rescale_backward(const Call& call) {
  const std::int64_t size = common_size(call, 1, 1);
  const auto factor = float(call.number("scale"));
  const auto* dy = call.in<float>(0);
  auto* dx = call.out<float>(0);
  return {[=](char*) { scale(dy, size, factor, dx); }};
}

std::int64_t channels(const Call& call) {
  const auto& shape = call.read(0).shape;
  call.require(!shape.empty() && shape.back() >= 1, "the last axis must have at least one channel");
  return shape.back();
}

Prepared prepare_bias_forward(const Call& call) {
  const std::int64_t c = channels(call), rows = common_size(call, 1, 1) / c;
  call.require_shape(call.read(1), {c});
  const auto *x = call.in<float>(0), *b = call.in<float>(1);
  auto* y = call.out<float>(0);
  return {[=](char*) { bias_forward(x, b, rows, c, y); }};
}

Prepared prepare_bias_backward_bias(const Call& call) {
  const std::int64_t c = channels(call), rows = call.read(0).size() / c;
  call.require_shape(call.write(0), {c});
  const auto* dy = call.in<float>(0);
  auto* db = call.out<float>(0);
  return {[=](char* scratch) { bias_backward_bias(dy, rows, c, db, scratch); },
          bias_scratch(rows, c)};
}

// The factors of x: one row for all pixels, (C,) or (1, ..., 1, C), or one per image, (N, 1, ...,
// 1, C).
ChannelScale channel_scale(const Call& call, const Array& x, const Array& s) {
  call.require(!x.shape.empty() && x.shape.back() >= 1,
               "the last axis must have at least one channel");
  const std::int64_t c = x.shape.back();
  std::vector<std::int64_t> shape(s.shape.size(), 1);
  call.require(!shape.empty() && shape.size() <= x.shape.size(),
               "there must be as many axes of factors as of images, or fewer");
  shape.back() = c;
  const bool per_image =
      shape.size() == x.shape.size() && shape.size() > 1 && s.shape.front() == x.shape.front();
  if (per_image) shape.front() = x.shape.front();
  call.require_shape(s, shape);
  const std::int64_t images = per_image ? x.shape.front() : 1;
  return {images, images == 0 ? 0 : x.size() / (images * c), c};
}

Prepared prepare_scale_channels_forward(const Call& call) {
  common_size(call, 1, 1);
  const ChannelScale shape = channel_scale(call, call.read(0), call.read(1));
  const auto *x = call.in<float>(0), *s = call.in<float>(1);
  auto* y = call.out<float>(0);
  return {[=](char*) { scale_channels_forward(shape, x, s, y); }};
}

Prepared prepare_scale_channels_backward(const Call& call) {
  common_size(call, 2, 1);
  const ChannelScale shape = channel_scale(call, call.read(1), call.read(2));
  call.require_shape(call.write(1), call.read(2).shape);
  const auto *dy = call.in<float>(0), *x = call.in<float>(1), *s = call.in<float>(2);
  auto *dx = call.out<float>(0), *ds = call.out<float>(1);
  return {[=](char* scratch) { scale_channels_backward(shape, dy, x, s, dx, ds, scratch); },
          scale_channels_backward_scratch(shape)};
}

// --- arrangement -------------------------------------------------------------------------------

// Copies an array of any dtype to one of the same dtype.
Prepared copied(const Call& call) {
  const Array &from = call.read(0), &to = call.write(0);
  call.require(from.dtype == to.dtype, "both arrays must have the same dtype");
  return {[source = from.data, bytes = from.bytes(), target = to.data](char*) {
    copy(source, bytes, target);
  }};
}

Prepared prepare_copy(const Call& call) {
  common_size(call, 1, 1);
  return copied(call);
}

// Copies a batch whose samples have the shape `from` to one whose samples have the shape `to`; both
// are names of attributes.
Prepared reshaped(const Call& call, const char* from, const char* to) {
  const auto& shape = call.read(0).shape;
  call.require(!shape.empty(), "an array must have a first axis, the batch");
  std::vector<std::int64_t> before = call.integers(from), after = call.integers(to);
  before.insert(before.begin(), shape[0]);
  after.insert(after.begin(), shape[0]);
  call.require_shape(call.read(0), before);
  call.require_shape(call.write(0), after);
  call.require(call.read(0).size() == call.write(0).size(),
               "both arrays must have the same number of values");
  return copied(call);
}

Prepared prepare_reshape_forward(const Call& call) { return reshaped(call, "image", "shape"); }

Prepared prepare_reshape_backward(const Call& call) { return reshaped(call, "shape", "image"); }

// The same for whole shapes, which include the batch.
Prepared reshaped_whole(const Call& call, const char* from, const char* to) {
  call.require_shape(call.read(0), call.integers(from));
  call.require_shape(call.write(0), call.integers(to));
  call.require(call.read(0).size() == call.write(0).size(),
               "both arrays must have the same number of values");
  return copied(call);
}

Prepared prepare_reshape_whole_forward(const Call& call) {
  return reshaped_whole(call, "image", "shape");
}

Prepared prepare_reshape_whole_backward(const Call& call) {
  return reshaped_whole(call, "shape", "image");
}

Border border(const Call& call) {
  const auto [top, bottom] = call.pair("pad_h");
  const auto [left, right] = call.pair("pad_w");
  constexpr std::int64_t max_padding = (std::int64_t{1} << 31) - 1;
  for (const std::int64_t pad : {top, bottom, left, right}) {
    call.require(pad >= 0 && pad <= max_padding, "padding must be >= 0 and less than 2^31");
  }
  return {top, bottom, left, right};
}

Prepared prepare_zero_pad2d_forward(const Call& call) {
  const Shape4 xs = call.shape4(call.read(0));
  const Border around = border(call);
  const Shape4 ys = around.around(xs);
  call.require_shape(call.write(0), {ys.n, ys.h, ys.w, ys.c});
  const auto* x = call.in<float>(0);
  auto* y = call.out<float>(0);
  return {[=](char*) { zero_pad2d_forward(x, xs, around, y); }};
}

Prepared prepare_zero_pad2d_backward(const Call& call) {
  const Shape4 xs = call.shape4(call.write(0));
  const Border around = border(call);
  const Shape4 ys = around.around(xs);
  call.require_shape(call.read(0), {ys.n, ys.h, ys.w, ys.c});
  const auto* dy = call.in<float>(0);
  auto* dx = call.out<float>(0);
  return {[=](char*) { zero_pad2d_backward(dy, xs, around, dx); }};
}

// The sizes of `whole`, the concatenation of `a` and `b`, which have its shape except for one axis.
ConcatSizes joint(const Call& call, const Array& whole, const Array& a, const Array& b) {
  const std::int64_t axis = call.integer("axis");
  call.require(axis >= 0 && axis < std::int64_t(whole.shape.size()),
               "axis must be an axis of the array");
  call.require(a.shape.size() == whole.shape.size() && b.shape.size() == whole.shape.size(),
               "all arrays must have the same number of axes");
  const auto at = std::size_t(axis);
  std::vector<std::int64_t> part = whole.shape;
  part[at] = a.shape[at];
  call.require_shape(a, part);
  part[at] = b.shape[at];
  call.require_shape(b, part);
  call.require(a.shape[at] + b.shape[at] == whole.shape[at],
               "the sizes of the inputs along the axis must add up to that of the output");
  std::int64_t outer = 1, inner = 1;
  for (std::size_t i = 0; i < at; ++i) outer *= whole.shape[i];
  for (std::size_t i = at + 1; i < whole.shape.size(); ++i) inner *= whole.shape[i];
  return {outer, a.shape[at] * inner, b.shape[at] * inner};
}

Prepared prepare_concatenate_forward(const Call& call) {
  const ConcatSizes parts = joint(call, call.write(0), call.read(0), call.read(1));
  const auto *a = call.in<float>(0), *b = call.in<float>(1);
  auto* y = call.out<float>(0);
  return {[=](char*) { concatenate_forward(a, b, parts, y); }};
}

Prepared prepare_concatenate_backward(const Call& call) {
  const ConcatSizes parts = joint(call, call.read(0), call.write(0), call.write(1));
  const auto* dy = call.in<float>(0);
  auto *da = call.out<float>(0), *db = call.out<float>(1);
  return {[=](char*) { concatenate_backward(dy, parts, da, db); }};
}

}  // namespace

std::vector<Kernel> elementwise_kernels() {
  return {
      {"add_forward", prepare_add_forward},
      {"add_backward", prepare_add_backward},
      {"multiply_forward", prepare_multiply_forward},
      {"multiply_backward", prepare_multiply_backward},
      {"rescale_forward", prepare_rescale_forward},
      {"rescale_backward", prepare_rescale_backward},
      {"bias_forward", prepare_bias_forward},
      {"bias_backward_input", prepare_copy},
      {"bias_backward_bias", prepare_bias_backward_bias},
      {"scale_channels_forward", prepare_scale_channels_forward},
      {"scale_channels_backward", prepare_scale_channels_backward},
      {"assign", prepare_copy},
      {"reshape_forward", prepare_reshape_forward},
      {"reshape_backward", prepare_reshape_backward},
      {"reshape_whole_forward", prepare_reshape_whole_forward},
      {"reshape_whole_backward", prepare_reshape_whole_backward},
      {"stop_gradient_forward", prepare_copy},
      {"zero_pad2d_forward", prepare_zero_pad2d_forward},
      {"zero_pad2d_backward", prepare_zero_pad2d_backward},
      // To crop is what padding's gradient does, with the arrays in the same places.
      {"crop2d_forward", prepare_zero_pad2d_backward},
      {"crop2d_backward", prepare_zero_pad2d_forward},
      {"concatenate_forward", prepare_concatenate_forward},
      {"concatenate_backward", prepare_concatenate_backward},
  };
}

}  // namespace minicnn
