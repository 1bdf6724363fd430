#include <array>
#include <cstdint>
#include <vector>

#include "bindings/call.hpp"
#include "kernels/binary.hpp"
#include "kernels/cast.hpp"
#include "kernels/unary.hpp"

namespace minicnn {
namespace {

constexpr char kBool = '?';

// Checks that all arrays have the shape of the first one, and returns their size.
std::int64_t common_size(const Call& call, std::size_t reads, std::size_t writes) {
  const auto& shape = call.read(0).shape;
  for (std::size_t i = 1; i < reads; ++i) call.require_shape(call.read(i), shape);
  for (std::size_t i = 0; i < writes; ++i) call.require_shape(call.write(i), shape);
  return call.read(0).size();
}

std::array<float, 2> parameters_of(const Unary& function, const Call& call) {
  std::array<float, 2> values{};
  for (std::size_t i = 0; i < function.parameters.size(); ++i) {
    values[i] = float(call.number(function.parameters[i]));
  }
  return values;
}

Prepared prepare_unary_forward(const Unary& function, const Call& call) {
  const std::int64_t size = common_size(call, 1, 1);
  const auto* x = call.in<float>(0);
  auto* y = call.out<float>(0);
  return {[=, run = function.forward, values = parameters_of(function, call)](char*) {
    run(x, size, values.data(), y);
  }};
}

Prepared prepare_unary_backward(const Unary& function, const Call& call) {
  const std::int64_t size = common_size(call, 2, 1);
  const auto *dy = call.in<float>(0), *saved = call.in<float>(1);
  auto* dx = call.out<float>(0);
  return {[=, run = function.backward, values = parameters_of(function, call)](char*) {
    run(dy, saved, size, values.data(), dx);
  }};
}

Prepared prepare_binary_forward(BinaryFunction function, const Call& call) {
  const std::int64_t size = common_size(call, 2, 1);
  const auto *a = call.in<float>(0), *b = call.in<float>(1);
  auto* y = call.out<float>(0);
  return {[=](char*) { function(a, b, size, y); }};
}

Prepared prepare_subtract_backward(const Call& call) {
  const std::int64_t size = common_size(call, 1, 2);
  const auto* dy = call.in<float>(0);
  auto *da = call.out<float>(0), *db = call.out<float>(1);
  return {[=](char*) { subtract_backward(dy, size, da, db); }};
}

using ThreeReads = void (*)(const float*, const float*, const float*, std::int64_t, float*,
                            float*) noexcept;

Prepared prepare_backward_of(ThreeReads function, const Call& call) {
  const std::int64_t size = common_size(call, 3, 2);
  const auto *first = call.in<float>(0), *second = call.in<float>(1), *third = call.in<float>(2);
  auto *da = call.out<float>(0), *db = call.out<float>(1);
  return {[=](char*) { function(first, second, third, size, da, db); }};
}

Prepared prepare_power_backward(const Call& call) {
  const std::int64_t size = common_size(call, 4, 2);
  const auto *dy = call.in<float>(0), *a = call.in<float>(1), *b = call.in<float>(2),
             *y = call.in<float>(3);
  auto *da = call.out<float>(0), *db = call.out<float>(1);
  return {[=](char*) { power_backward(dy, a, b, y, size, da, db); }};
}

std::uint8_t* truth(const Call& call, const Array& array) {
  call.require(array.dtype == kBool, "an array of truth values must have dtype bool");
  return static_cast<std::uint8_t*>(array.data);
}

Prepared prepare_compare(const Call& call) {
  const std::int64_t size = common_size(call, 2, 1);
  const Comparison compare = comparison_named(call.text("function"));
  call.require(compare != nullptr, "function must be a comparison");
  const auto *a = call.in<float>(0), *b = call.in<float>(1);
  auto* y = truth(call, call.write(0));
  return {[=](char*) { compare(a, b, size, y); }};
}

Prepared prepare_where_forward(const Call& call) {
  const std::int64_t size = common_size(call, 3, 1), bytes = call.read(1).item_bytes;
  const Array &a = call.read(1), &b = call.read(2), &y = call.write(0);
  call.require(a.dtype == b.dtype && a.dtype == y.dtype, "a, b and y must have the same dtype");
  call.require(bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8, "items are too large");
  const auto* condition = truth(call, call.read(0));
  return {[=, first = a.data, second = b.data, out = y.data](char*) {
    where_forward(condition, first, second, size, bytes, out);
  }};
}

Prepared prepare_where_backward(const Call& call) {
  const std::int64_t size = common_size(call, 2, 2);
  const auto* dy = call.in<float>(0);
  const auto* condition = truth(call, call.read(1));
  auto *da = call.out<float>(0), *db = call.out<float>(1);
  return {[=](char*) { where_backward(dy, condition, size, da, db); }};
}

Prepared prepare_cast(const Call& call) {
  const std::int64_t size = common_size(call, 1, 1);
  const Array &x = call.read(0), &y = call.write(0);
  call.require(can_cast(x.dtype) && can_cast(y.dtype),
               "dtypes must be float32, int32, uint8 or bool");
  return {[=, from = x.data, to = y.data, old = x.dtype, dtype = y.dtype](char*) {
    cast(from, old, size, dtype, to);
  }};
}

}  // namespace

std::vector<Kernel> tensor_value_kernels() {
  std::vector<Kernel> kernels = {
      {"cast_forward", prepare_cast},
      {"compare_forward", prepare_compare},
      {"divide_backward",
       [](const Call& call) { return prepare_backward_of(divide_backward, call); }},
      {"maximum_backward",
       [](const Call& call) { return prepare_backward_of(maximum_backward, call); }},
      {"minimum_backward",
       [](const Call& call) { return prepare_backward_of(minimum_backward, call); }},
      {"power_backward", prepare_power_backward},
      {"subtract_backward", prepare_subtract_backward},
      {"where_backward", prepare_where_backward},
      {"where_forward", prepare_where_forward},
  };
  for (const Binary& one : binary_functions()) {
    kernels.push_back({std::string(one.name) + "_forward", [&](const Call& call) {
                         return prepare_binary_forward(one.forward, call);
                       }});
  }
  for (const Unary& one : unary_functions()) {
    const std::string name = one.name;
    kernels.push_back(
        {name + "_forward", [&](const Call& call) { return prepare_unary_forward(one, call); }});
    if (one.backward == nullptr) continue;
    kernels.push_back(
        {name + "_backward", [&](const Call& call) { return prepare_unary_backward(one, call); }});
  }
  return kernels;
}

}  // namespace minicnn
