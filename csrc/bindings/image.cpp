#include <cstdint>
#include <vector>

#include "bindings/call.hpp"
#include "kernels/adjust_colors.hpp"
#include "kernels/dropout_mask.hpp"
#include "kernels/random_normal.hpp"
#include "kernels/resample.hpp"

namespace minicnn {
namespace {

Shape4 image_shape(const Call& call, const Array& array) {
  const Shape4 shape = call.shape4(array);
  call.require(shape.h >= 1 && shape.w >= 1 && shape.c >= 1, "only the batch may have length 0");
  return shape;
}

bool is_float(const Array& array) { return array.dtype == py::format_descriptor<float>::c; }

// The taps in the reads at `index` and after it.
Taps taps_of(const Call& call, std::size_t index) {
  const Array& indices = call.read(index);
  call.require(indices.shape.size() == 2, "the indices of an axis must have two axes");
  call.require_shape(call.read(index + 1), indices.shape);
  return {indices.shape[0], indices.shape[1], call.in<std::int32_t>(index),
          call.in<float>(index + 1)};
}

Prepared prepare_resample_forward(const Call& call) {
  const Shape4 xs = image_shape(call, call.read(0));
  const Resample rule{taps_of(call, 1), taps_of(call, 3), float(call.number("fill"))};
  call.require_shape(call.write(0), {xs.n, rule.rows.outputs, rule.columns.outputs, xs.c});
  auto* y = call.out<float>(0);
  const std::size_t bytes = resample_scratch(xs);
  if (is_float(call.read(0))) {
    const auto* x = call.in<float>(0);
    return {[=](char* scratch) { resample_forward(x, xs, rule, y, scratch); }, bytes};
  }
  const auto* x = call.in<std::uint8_t>(0);
  return {[=](char* scratch) { resample_forward(x, xs, rule, y, scratch); }, bytes};
}

Prepared prepare_resample_backward(const Call& call) {
  const Shape4 xs = image_shape(call, call.write(0));
  const Resample rule{taps_of(call, 1), taps_of(call, 3), 0};
  call.require_shape(call.read(0), {xs.n, rule.rows.outputs, rule.columns.outputs, xs.c});
  const auto* dy = call.in<float>(0);
  auto* dx = call.out<float>(0);
  return {[=](char* scratch) { resample_backward(dy, xs, rule, dx, scratch); },
          resample_scratch(xs)};
}

Prepared prepare_adjust_colors(const Call& call) {
  const Shape4 xs = image_shape(call, call.read(0));
  call.require_shape(call.read(1), {xs.n, 3});
  call.require_shape(call.write(0), call.read(0).shape);
  const AdjustColors rule{call.flag("about_mean"), float(call.number("low")),
                          float(call.number("high"))};
  const auto* levels = call.in<float>(1);
  auto* y = call.out<float>(0);
  if (is_float(call.read(0))) {
    const auto* x = call.in<float>(0);
    return {[=](char*) { adjust_colors(x, xs, levels, rule, y); }};
  }
  const auto* x = call.in<std::uint8_t>(0);
  return {[=](char*) { adjust_colors(x, xs, levels, rule, y); }};
}

std::uint32_t purpose_of(const Call& call) {
  const std::int64_t purpose = call.integer("purpose");
  call.require(purpose >= 0 && purpose <= UINT32_MAX, "purpose must fit 32 bits");
  return std::uint32_t(purpose);
}

Prepared prepare_random_normal(const Call& call) {
  call.require_shape(call.read(0), {4});
  const RandomNormal rule{call.number("mean"), call.number("stddev"), purpose_of(call),
                          call.in<std::uint32_t>(0)};
  const std::int64_t size = call.write(0).size();
  auto* y = call.out<float>(0);
  return {[=](char*) { random_normal(size, rule, y); }};
}

Prepared prepare_dropout_mask(const Call& call) {
  call.require_shape(call.read(0), {4});
  const double rate = call.number("rate");
  call.require(rate >= 0.0 && rate < 1.0, "rate must be in [0, 1)");
  const Dropout rule{std::uint32_t(rate * (1 << 24) + 0.5), float(1.0 / (1.0 - rate)),
                     purpose_of(call), call.in<std::uint32_t>(0)};
  const std::vector<std::int64_t> shape = call.write(0).shape, drawn = call.integers("drawn");
  call.require(!shape.empty() && drawn.size() == shape.size(),
               "drawn must have a length for each axis of the mask");
  for (std::size_t i = 0; i < shape.size(); ++i) {
    call.require(drawn[i] == shape[i] || drawn[i] == 1,
                 "a length in drawn must be that of the mask, or 1");
  }
  auto* y = call.out<float>(0);
  const auto mask_of = [](const auto& lengths, const auto& of_drawn) {
    return MaskShape{std::int64_t(lengths.size()), lengths.data(), of_drawn.data()};
  };
  return {[=](char* scratch) { dropout_mask(mask_of(shape, drawn), rule, y, scratch); },
          dropout_mask_scratch(mask_of(shape, drawn))};
}

}  // namespace

std::vector<Kernel> image_kernels() {
  return {{"adjust_colors_forward", prepare_adjust_colors},
          {"dropout_mask_forward", prepare_dropout_mask},
          {"random_normal_forward", prepare_random_normal},
          {"resample_backward", prepare_resample_backward},
          {"resample_forward", prepare_resample_forward}};
}

}  // namespace minicnn
