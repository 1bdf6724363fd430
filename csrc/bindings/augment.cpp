#include "kernels/augment.hpp"

#include <map>

#include "bindings/call.hpp"

namespace minicnn {
namespace {

constexpr std::int64_t kMaxImageSide = 1 << 24;  // rows or columns that float32 counts exactly

Fill fill_of(const Call& call) {
  static const std::map<std::string, Fill> fills = {{"constant", Fill::constant},
                                                    {"nearest", Fill::nearest},
                                                    {"reflect", Fill::reflect},
                                                    {"wrap", Fill::wrap}};
  const auto found = fills.find(call.text("fill_mode"));
  call.require(found != fills.end(), "fill_mode must be constant, nearest, reflect or wrap");
  return found->second;
}

Prepared prepare_augment(const Call& call) {
  const Shape4 xs = call.shape4(call.read(0));
  call.require(xs.h >= 1 && xs.w >= 1 && xs.c >= 1, "only the batch may have length 0");
  call.require(xs.h <= kMaxImageSide && xs.w <= kMaxImageSide,
               "an image must have at most 2^24 rows and columns");
  const Array& matrix = call.read(1);
  const std::int64_t values = matrix.shape.empty() ? 0 : matrix.shape.back();
  call.require(values == 6 || values == 9, "a matrix must have 6 or 9 values per image");
  call.require_shape(matrix, {xs.n, values});
  call.require_shape(call.write(0), call.read(0).shape);
  const std::string interpolation = call.text("interpolation");
  call.require(interpolation == "bilinear" || interpolation == "nearest",
               "interpolation must be bilinear or nearest");
  const Augment rule{fill_of(call), interpolation == "bilinear", float(call.number("cval")),
                     float(call.number("scale"))};
  const auto* m = call.in<float>(1);
  auto* y = call.out<float>(0);
  if (call.read(0).dtype == py::format_descriptor<float>::c) {
    const auto* x = call.in<float>(0);
    return {[=](char*) { augment(x, xs, m, values, rule, y); }};
  }
  const auto* x = call.in<std::uint8_t>(0);
  return {[=](char*) { augment(x, xs, m, values, rule, y); }};
}

}  // namespace

std::vector<Kernel> augment_kernels() { return {{"augment_forward", prepare_augment}}; }

}  // namespace minicnn
