#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "bindings/call.hpp"
#include "kernels/reduce.hpp"
#include "kernels/strided.hpp"

namespace minicnn {
namespace {

using Integers = std::vector<std::int64_t>;

constexpr std::int64_t kMaxValue = (std::int64_t{1} << 31) - 1;

void require_axes(const Call& call, const Array& array) {
  call.require(array.shape.size() <= std::size_t(kMaxAxes), "an array has too many axes");
}

// Returns an attribute with one integer per axis, none of which overflows a product with another.
Integers per_axis(const Call& call, const char* name, std::size_t axes) {
  const Integers values = call.integers(name);
  call.require(values.size() == axes, std::string(name) + " must have one value per axis");
  for (const std::int64_t value : values) {
    call.require(value >= -kMaxValue && value <= kMaxValue, std::string(name) + " is too large");
  }
  return values;
}

// The distance between neighbors along each axis of a contiguous array.
Integers strides_of(const Integers& shape) {
  Integers strides(shape.size());
  std::int64_t stride = 1;
  for (std::size_t i = shape.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= shape[i];
  }
  return strides;
}

// Copies the items at these places of one array to the whole of another one.
Prepared gathered(const Call& call, const Strided& places) {
  const Array &x = call.read(0), &y = call.write(0);
  const std::int64_t bytes = x.item_bytes;
  call.require(x.dtype == y.dtype, "both arrays must have the same dtype");
  call.require(bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8, "items are too large");
  return {[=, from = x.data, to = y.data](char*) { gather(from, places, bytes, to); }};
}

// Copies the whole of one array to these places of another one, whose other items are `item`.
Prepared scattered(const Call& call, const Strided& places, const std::array<char, 8>& item) {
  const Array &x = call.read(0), &y = call.write(0);
  const std::int64_t bytes = x.item_bytes, count = y.size();
  call.require(x.dtype == y.dtype, "both arrays must have the same dtype");
  call.require(bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8, "items are too large");
  return {[=, from = x.data, to = y.data](char*) {
    fill(item.data(), bytes, count, to);
    scatter(from, places, bytes, to);
  }};
}

// --- transposition -------------------------------------------------------------------------------

// The places of `from`, axis by axis in this order.
Strided permuted(const Array& from, const Integers& order) {
  const Integers strides = strides_of(from.shape);
  Strided places;
  for (const std::int64_t axis : order) {
    places.add_axis(from.shape[std::size_t(axis)], strides[std::size_t(axis)]);
  }
  return places;
}

// Returns the attribute `axes`, a permutation.
Integers order_of(const Call& call) {
  require_axes(call, call.read(0));
  const Integers axes = per_axis(call, "axes", call.read(0).shape.size());
  Integers sorted = axes;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    call.require(sorted[i] == std::int64_t(i), "axes must name each axis once");
  }
  return axes;
}

Integers shape_in(const Array& array, const Integers& order) {
  Integers shape;
  for (const std::int64_t axis : order) shape.push_back(array.shape[std::size_t(axis)]);
  return shape;
}

Prepared prepare_transpose_forward(const Call& call) {
  const Integers order = order_of(call);
  call.require_shape(call.write(0), shape_in(call.read(0), order));
  return gathered(call, permuted(call.read(0), order));
}

Prepared prepare_transpose_backward(const Call& call) {
  const Integers order = order_of(call);
  Integers back(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) back[std::size_t(order[i])] = std::int64_t(i);
  call.require_shape(call.write(0), shape_in(call.read(0), back));
  return gathered(call, permuted(call.read(0), back));
}

// --- slices and borders --------------------------------------------------------------------------

// The places of a slice of `whole` in the shape of `part`.
Strided slice_of(const Call& call, const Array& whole, const Array& part) {
  require_axes(call, whole);
  const std::size_t axes = whole.shape.size();
  call.require_shape(whole, call.integers("image"));
  call.require_shape(part, call.integers("shape"));
  call.require(part.shape.size() == axes, "a slice has as many axes as its array");
  const Integers starts = per_axis(call, "starts", axes), steps = per_axis(call, "steps", axes);
  const Integers strides = strides_of(whole.shape);
  Strided places;
  for (std::size_t i = 0; i < axes; ++i) {
    const std::int64_t length = part.shape[i];
    if (length > 0) {
      call.require(length <= kMaxValue, "a slice is too long");
      const std::int64_t last = starts[i] + (length - 1) * steps[i];
      call.require(std::min(starts[i], last) >= 0 && std::max(starts[i], last) < whole.shape[i],
                   "a slice must lie inside of its array");
      call.require(steps[i] != 0 || length == 1, "steps must not be 0");
      places.start += starts[i] * strides[i];
    }
    places.add_axis(length, steps[i] * strides[i]);
  }
  return places;
}

Prepared prepare_slice_forward(const Call& call) {
  return gathered(call, slice_of(call, call.read(0), call.write(0)));
}

Prepared prepare_slice_backward(const Call& call) {
  return scattered(call, slice_of(call, call.write(0), call.read(0)), {});
}

// The places of `inner` in `whole`, which has a border around it.
Strided inside(const Call& call, const Array& whole, const Array& inner) {
  require_axes(call, whole);
  const std::size_t axes = whole.shape.size();
  call.require(inner.shape.size() == axes, "both arrays must have the same number of axes");
  const Integers before = per_axis(call, "before", axes), after = per_axis(call, "after", axes);
  const Integers strides = strides_of(whole.shape);
  Strided places;
  for (std::size_t i = 0; i < axes; ++i) {
    call.require(before[i] >= 0 && after[i] >= 0, "before and after must be >= 0");
    call.require(whole.shape[i] - before[i] - after[i] == inner.shape[i],
                 "the lengths must differ by before and after");
    places.start += before[i] * strides[i];
    places.add_axis(inner.shape[i], strides[i]);
  }
  return places;
}

template <class T>
std::array<char, 8> bytes_of(T value) {
  std::array<char, 8> bytes{};
  std::memcpy(bytes.data(), &value, sizeof(value));
  return bytes;
}

// The bytes of a number in the dtype of an array.
std::array<char, 8> item_of(const Call& call, const Array& array, double value) {
  const bool whole = value >= 0.0 && value <= 255.0 && value == double(std::int64_t(value));
  if (array.dtype == 'f') return bytes_of(float(value));
  call.require(whole, "value must be an integer from 0 to 255 for an array of integers");
  if (array.dtype == 'd') return bytes_of(value);
  return bytes_of(std::int64_t(value));  // little-endian: the first bytes are those of any length
}

Prepared prepare_pad_forward(const Call& call) {
  const Strided places = inside(call, call.write(0), call.read(0));
  return scattered(call, places, item_of(call, call.read(0), call.number("value")));
}

Prepared prepare_pad_backward(const Call& call) {
  return gathered(call, inside(call, call.read(0), call.write(0)));
}

// --- repetition and reduction --------------------------------------------------------------------

// Which axes of `whole` are repeated, or reduced, and its shape with length 1 in their places.
struct Repeated {
  std::vector<bool> axes;
  Integers short_shape;
};

// The axes along which a smaller array is repeated to the shape of `whole`.
Repeated repeated(const Call& call, const Array& whole, const Array& small) {
  require_axes(call, whole);
  call.require_shape(whole, call.integers("shape"));
  call.require_shape(small, call.integers("image"));
  call.require(small.shape.size() <= whole.shape.size(), "an array of fewer axes is needed");
  Repeated found{{}, Integers(whole.shape.size() - small.shape.size(), 1)};
  found.short_shape.insert(found.short_shape.end(), small.shape.begin(), small.shape.end());
  for (std::size_t i = 0; i < whole.shape.size(); ++i) {
    const std::int64_t length = found.short_shape[i];
    call.require(length == 1 || length == whole.shape[i], "a length must be 1 or stay as it is");
    found.axes.push_back(length != whole.shape[i]);
  }
  return found;
}

// The axes that the attributes `axes` and `keepdims` name; checks the shapes of both arrays.
Repeated reduced(const Call& call, const Array& whole, const Array& small) {
  require_axes(call, whole);
  call.require_shape(whole, call.integers("image"));
  Repeated found{std::vector<bool>(whole.shape.size(), false), whole.shape};
  for (const std::int64_t axis : call.integers("axes")) {
    call.require(axis >= 0 && axis < std::int64_t(whole.shape.size()), "there is no such axis");
    call.require(!found.axes[std::size_t(axis)], "axes must name an axis once");
    found.axes[std::size_t(axis)] = true;
    found.short_shape[std::size_t(axis)] = 1;
  }
  Integers shape;
  for (std::size_t i = 0; i < whole.shape.size(); ++i) {
    if (!found.axes[i] || call.flag("keepdims")) shape.push_back(found.short_shape[i]);
  }
  call.require_shape(small, shape);
  return found;
}

// The places of the smaller array, repeated along the axes of `whole`.
Strided spread(const Repeated& rule, const Array& whole) {
  const Integers strides = strides_of(rule.short_shape);
  Strided places;
  for (std::size_t i = 0; i < whole.shape.size(); ++i) {
    places.add_axis(whole.shape[i], rule.axes[i] ? 0 : strides[i]);
  }
  return places;
}

Reduction reduction_of(const Repeated& rule, const Array& whole) {
  const Integers strides = strides_of(whole.shape);
  Reduction found;
  std::size_t last = whole.shape.size();
  for (std::size_t i = 0; i < whole.shape.size(); ++i) {
    if (whole.shape[i] == 1) continue;
    last = i;
    (rule.axes[i] ? found.reduced : found.kept).add_axis(whole.shape[i], strides[i]);
  }
  found.kept = merged(found.kept);
  found.reduced = merged(found.reduced);
  if (last == whole.shape.size()) return found;
  found.inner_reduced = rule.axes[last];
  Strided& inner = found.inner_reduced ? found.reduced : found.kept;
  --inner.axes;
  found.inner = inner.shape[inner.axes];
  return found;
}

Prepared prepare_broadcast_forward(const Call& call) {
  const Array& y = call.write(0);
  return gathered(call, spread(repeated(call, y, call.read(0)), y));
}

Prepared prepare_sum(const Call& call, const Repeated& rule) {
  const Reduction reduction = reduction_of(rule, call.read(0));
  const auto* x = call.in<float>(0);
  auto* y = call.out<float>(0);
  return {[=](char* scratch) { reduce_sum(x, reduction, y, scratch); }, sum_scratch(reduction)};
}

Prepared prepare_broadcast_backward(const Call& call) {
  return prepare_sum(call, repeated(call, call.read(0), call.write(0)));
}

Prepared prepare_sum_forward(const Call& call) {
  return prepare_sum(call, reduced(call, call.read(0), call.write(0)));
}

Prepared prepare_sum_backward(const Call& call) {
  const Array& dx = call.write(0);
  return gathered(call, spread(reduced(call, dx, call.read(0)), dx));
}

using Extreme = void (*)(const float*, const Reduction&, float*) noexcept;

Prepared prepare_extreme(Extreme function, const Call& call) {
  const Reduction rule = reduction_of(reduced(call, call.read(0), call.write(0)), call.read(0));
  const auto* x = call.in<float>(0);
  auto* y = call.out<float>(0);
  if (rule.results() == 0) return {[](char*) {}};
  call.require(rule.values() >= 1, "there is no largest of no values");
  return {[=](char*) { function(x, rule, y); }};
}

Prepared prepare_extreme_backward(const Call& call) {
  const Array &dy = call.read(0), &image = call.read(1);
  const Reduction rule = reduction_of(reduced(call, image, dy), image);
  call.require_shape(call.read(2), dy.shape);
  call.require_shape(call.write(0), image.shape);
  const auto *gradient = call.in<float>(0), *x = call.in<float>(1), *y = call.in<float>(2);
  auto* dx = call.out<float>(0);
  if (image.size() == 0) return {[](char*) {}};
  return {[=](char* scratch) { extreme_backward(gradient, x, y, rule, dx, scratch); },
          share_scratch(rule)};
}

}  // namespace

std::vector<Kernel> tensor_axis_kernels() {
  return {
      {"broadcast_to_forward", prepare_broadcast_forward},
      {"broadcast_to_backward", prepare_broadcast_backward},
      {"max_forward", [](const Call& call) { return prepare_extreme(reduce_max, call); }},
      {"max_backward", prepare_extreme_backward},
      {"min_forward", [](const Call& call) { return prepare_extreme(reduce_min, call); }},
      {"min_backward", prepare_extreme_backward},
      {"pad_forward", prepare_pad_forward},
      {"pad_backward", prepare_pad_backward},
      {"slice_forward", prepare_slice_forward},
      {"slice_backward", prepare_slice_backward},
      {"sum_forward", prepare_sum_forward},
      {"sum_backward", prepare_sum_backward},
      {"transpose_forward", prepare_transpose_forward},
      {"transpose_backward", prepare_transpose_backward},
  };
}

}  // namespace minicnn
