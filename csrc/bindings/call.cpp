#include "bindings/call.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace minicnn {
namespace {

constexpr std::int64_t kMaxWindowValue = (std::int64_t{1} << 31) - 1;
constexpr std::size_t kMaxIntegers = 64;  // in an attribute
constexpr double kMaxBytes = 0x1p47;      // more than any memory; only an empty array can claim it

std::string text_of(const std::vector<std::int64_t>& shape) {
  std::string text = "(";
  for (const std::int64_t length : shape) text += std::to_string(length) + ", ";
  return text + ")";
}

// Nothing is converted: an array that is strided, unaligned or in foreign byte order is an error
// here. Python makes the copies.
Array array_of(const py::handle& object, const std::string& what, bool written) {
  if (object.is_none()) return {};
  if (!py::isinstance<py::array>(object)) throw py::type_error(what + " must be a NumPy array");
  const auto source = py::reinterpret_borrow<py::array>(object);
  const int needed = py::array::c_style | py::detail::npy_api::NPY_ARRAY_ALIGNED_;
  if ((source.flags() & needed) != needed || source.dtype().byteorder() == '>') {
    throw py::value_error(what + " must be C-contiguous, aligned and in native byte order");
  }
  if (written && !source.writeable()) throw py::value_error(what + " is read-only");
  if (!std::strchr("fiub", source.dtype().kind()))
    throw py::type_error(what + " must hold numbers");
  Array array;
  array.item_bytes = source.itemsize();
  array.data = const_cast<void*>(source.data());
  array.dtype = source.dtype().normalized_num() == py::dtype::of<std::int32_t>().normalized_num()
                    ? py::format_descriptor<std::int32_t>::c
                    : source.dtype().char_();
  array.shape.assign(source.shape(), source.shape() + source.ndim());
  double bytes = double(array.item_bytes);
  for (const std::int64_t length : array.shape) bytes *= double(std::max<std::int64_t>(length, 1));
  if (bytes > kMaxBytes) throw py::value_error(what + " is empty but has an axis that is too long");
  return array;
}

// Returns whether two arrays overlap. A read and a write of the very same bytes are an update in
// place, which is allowed.
bool collide(const Array& a, const Array& b, bool both_written) {
  if (a.data == nullptr || b.data == nullptr || a.bytes() == 0 || b.bytes() == 0) return false;
  if (!both_written && a.data == b.data && a.bytes() == b.bytes()) return false;
  const auto* a0 = static_cast<const char*>(a.data);
  const auto* b0 = static_cast<const char*>(b.data);
  return a0 < b0 + b.bytes() && b0 < a0 + a.bytes();
}

}  // namespace

std::int64_t Array::size() const {
  std::int64_t product = 1;
  for (const std::int64_t length : shape) product *= length;
  return product;
}

std::int64_t Array::bytes() const { return size() * item_bytes; }

std::int64_t Array::rows() const {
  std::int64_t product = 1;
  for (std::size_t i = 0; i + 1 < shape.size(); ++i) product *= shape[i];
  return product;
}

Call::Call(std::string kernel, const py::sequence& reads, const py::sequence& writes,
           py::dict attributes, TransformedWeightCache* weight_cache)
    : kernel_(std::move(kernel)),
      reads_(arrays_of(reads, "read", false)),
      writes_(arrays_of(writes, "write", true)),
      attributes_(std::move(attributes)),
      weight_cache_(weight_cache) {
  require_no_overlap();
}

// Keeps a reference to every array: the sequence may not own its items, and it may change while a
// kernel runs.
std::vector<Array> Call::arrays_of(const py::sequence& objects, const char* what, bool written) {
  std::vector<Array> arrays;
  for (const py::object object : objects) {
    const std::string place = what + (" " + std::to_string(arrays.size()));
    arrays.push_back(array_of(object, kernel_ + ": " + place, written));
    owners_.push_back(object);
  }
  return arrays;
}

void Call::require_no_overlap() const {
  for (std::size_t i = 0; i < writes_.size(); ++i) {
    for (const Array& read : reads_) {
      require(!collide(writes_[i], read, false),
              "an array that is written must not overlap one that is read");
    }
    for (std::size_t j = 0; j < i; ++j) {
      require(!collide(writes_[i], writes_[j], true),
              "arrays that are written must not overlap each other");
    }
  }
}

void Call::require(bool holds, const std::string& rule) const {
  if (!holds) throw py::value_error(kernel_ + ": " + rule);
}

const Array& Call::read(std::size_t i) const {
  require(reads(i), "read " + std::to_string(i) + " is missing");
  return reads_[i];
}

const Array& Call::write(std::size_t i) const {
  require(writes(i), "write " + std::to_string(i) + " is missing");
  return writes_[i];
}

void* Call::typed(const Array& array, char dtype) const {
  if (array.data != nullptr && array.dtype != dtype) {
    throw py::type_error(kernel_ + ": an array must have dtype '" + dtype + "'; got '" +
                         array.dtype + "'");
  }
  return array.data;
}

Shape4 Call::shape4(const Array& array) const {
  require(array.shape.size() == 4, "an array must have 4 axes; got shape " + text_of(array.shape));
  return {array.shape[0], array.shape[1], array.shape[2], array.shape[3]};
}

void Call::require_shape(const Array& array, const std::vector<std::int64_t>& shape) const {
  require(array.shape == shape,
          "an array must have shape " + text_of(shape) + "; got " + text_of(array.shape));
}

void Call::require_rows(const Array& array, const Array& rows, std::int64_t length) const {
  std::vector<std::int64_t> shape = rows.shape;
  shape.back() = length;
  require_shape(array, shape);
}

bool Call::has(const char* attribute) const { return attributes_.contains(attribute); }

py::object Call::attribute(const char* name) const {
  require(has(name), std::string("attribute ") + name + " is missing");
  return attributes_[name];
}

template <class T>
T Call::value(const py::handle& object, const char* name) const {
  try {
    return object.cast<T>();
  } catch (const py::cast_error&) {
    throw py::type_error(kernel_ + ": attribute " + name + " has a value of the wrong type");
  }
}

std::int64_t Call::integer(const char* name) const {
  return value<std::int64_t>(attribute(name), name);
}
double Call::number(const char* name) const { return value<double>(attribute(name), name); }
bool Call::flag(const char* name) const { return value<bool>(attribute(name), name); }
std::string Call::text(const char* name) const { return value<std::string>(attribute(name), name); }

std::vector<std::int64_t> Call::integers(const char* name) const {
  std::vector<std::int64_t> values;
  for (const py::handle number : attribute(name)) {
    values.push_back(value<std::int64_t>(number, name));
    require(values.size() <= kMaxIntegers, std::string(name) + " has too many values");
  }
  return values;
}

std::pair<std::int64_t, std::int64_t> Call::pair(const char* name) const {
  const std::vector<std::int64_t> values = integers(name);
  require(values.size() == 2, std::string(name) + " must have two values");
  return {values[0], values[1]};
}

Window2D Call::window(const char* name) const {
  std::vector<std::int64_t> v;
  for (const py::handle pair : attribute(name)) {
    for (const py::handle number : pair) {
      v.push_back(value<std::int64_t>(number, name));
      require(v.size() <= kMaxIntegers, std::string(name) + " has too many values");
    }
  }
  require(v.size() == 10, std::string(name) + " must be a Window2D");
  const bool sizes = std::all_of(v.begin(), v.begin() + 6, [](auto x) { return x >= 1; });
  const bool pads = std::all_of(v.begin() + 6, v.end(), [](auto x) { return x >= 0; });
  const bool small = std::all_of(v.begin(), v.end(), [](auto x) { return x <= kMaxWindowValue; });
  require(
      sizes && pads && small,
      "window sizes, strides and dilations must be >= 1, paddings >= 0, and all less than 2^31");
  return {v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9]};
}

}  // namespace minicnn
