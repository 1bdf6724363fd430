#include "kernels/group_norm.hpp"

#include <limits>
#include <map>

#include "bindings/call.hpp"

namespace minicnn {
namespace {

// The axes from "sample_axis" on are normalized together, in "groups" parts of the last axes; gamma
// and beta have the axes from "channel_axis" on.
GroupNormShape shape_of(const Call& call, const Array& x) {
  const std::int64_t axes = std::int64_t(x.shape.size());
  const std::int64_t sample = call.integer("sample_axis"), channel = call.integer("channel_axis");
  const std::int64_t groups = call.integer("groups");
  call.require(sample >= 0 && sample <= channel && channel < axes,
               "sample_axis and channel_axis must be axes of x, in this order");
  GroupNormShape shape{1, 1, groups, 1};
  std::int64_t channels = 1;
  for (std::int64_t i = 0; i < axes; ++i) {
    std::int64_t& product = i < sample ? shape.rows : i < channel ? shape.positions : channels;
    product *= x.shape[std::size_t(i)];
  }
  call.require(groups >= 1 && channels >= 1 && channels % groups == 0,
               "groups must divide the number of channels");
  call.require(shape.positions >= 1, "only the batch may be empty");
  shape.size = channels / groups;
  return shape;
}

GroupNorm norm_of(const Call& call, std::size_t gamma) {
  static const std::map<std::string, GroupStatistic> statistics = {
      {"variance", GroupStatistic::variance},
      {"mean_square", GroupStatistic::mean_square},
      {"norm", GroupStatistic::norm}};
  const auto found = statistics.find(call.text("statistic"));
  call.require(found != statistics.end(), "statistic must be variance, mean_square or norm");
  return {found->second, call.number("epsilon"), call.in<float>(gamma), nullptr};
}

// Checks that an array has a value per channel: the axes of x from "channel_axis" on.
void require_per_channel(const Call& call, const Array& array, const Array& x) {
  const std::int64_t channel = call.integer("channel_axis");
  call.require_shape(array, {x.shape.begin() + channel, x.shape.end()});
}

// Checks that an array has a value per group: the axes of x before "sample_axis", and the groups.
void require_per_group(const Call& call, const Array& array, const Array& x) {
  const std::int64_t sample = call.integer("sample_axis");
  std::vector<std::int64_t> shape(x.shape.begin(), x.shape.begin() + sample);
  shape.push_back(call.integer("groups"));
  call.require_shape(array, shape);
}

Prepared prepare_forward(const Call& call) {
  const GroupNormShape shape = shape_of(call, call.read(0));
  GroupNorm norm = norm_of(call, 1);
  for (std::size_t i = 1; i < 3; ++i) {
    if (call.reads(i)) require_per_channel(call, call.read(i), call.read(0));
    require_per_group(call, call.write(i), call.read(0));
  }
  norm.beta = call.in<float>(2);
  call.require_shape(call.write(0), call.read(0).shape);
  const auto* x = call.in<float>(0);
  float *y = call.out<float>(0), *mean = call.out<float>(1), *inverse = call.out<float>(2);
  return {[=](char* scratch) { group_norm_forward(x, shape, norm, y, mean, inverse, scratch); },
          group_norm_forward_scratch(shape)};
}

Prepared prepare_backward(const Call& call) {
  const GroupNormShape shape = shape_of(call, call.read(1));
  const GroupNorm norm = norm_of(call, 2);
  if (call.reads(2)) require_per_channel(call, call.read(2), call.read(1));
  call.require_shape(call.read(0), call.read(1).shape);
  for (std::size_t i = 3; i < 5; ++i) require_per_group(call, call.read(i), call.read(1));
  if (call.writes(0)) call.require_shape(call.write(0), call.read(1).shape);
  for (std::size_t i = 1; i < 3; ++i) {
    if (call.writes(i)) require_per_channel(call, call.write(i), call.read(1));
  }
  const auto* dy = call.in<float>(0);
  const GroupNormSaved saved{call.in<float>(1), call.in<float>(3), call.in<float>(4)};
  const GroupNormGradients gradients{call.out<float>(0), call.out<float>(1), call.out<float>(2)};
  return {[=](char* scratch) { group_norm_backward(dy, saved, shape, norm, gradients, scratch); },
          group_norm_backward_scratch(shape)};
}

}  // namespace

std::vector<Kernel> group_norm_kernels() {
  return {{"group_norm_forward", prepare_forward}, {"group_norm_backward", prepare_backward}};
}

}  // namespace minicnn
