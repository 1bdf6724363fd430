#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/shapes.hpp"

namespace minicnn {

namespace py = pybind11;

class TransformedWeightCache;

// The memory of a NumPy array, its shape and the character of its dtype: float32 'f', float64 'd',
// int32 'i', uint32 'I', uint8 'B', or another numeric type, which can only be copied.
struct Array {
  void* data = nullptr;  // null for None
  char dtype = 0;
  std::int64_t item_bytes = 0;
  std::vector<std::int64_t> shape;

  std::int64_t size() const;
  std::int64_t bytes() const;
  std::int64_t rows() const;  // the product of all lengths but the last
};

// A kernel call as Python makes it: arrays by position, attributes by name. The getters check
// everything that memory safety depends on; the meaning of the arguments was checked in
// minicnn/operations.
class __attribute__((visibility("hidden"))) Call {
 public:
  Call(std::string kernel, const py::sequence& reads, const py::sequence& writes,
       py::dict attributes, TransformedWeightCache* weight_cache = nullptr);

  bool reads(std::size_t i) const { return i < reads_.size() && reads_[i].data != nullptr; }
  bool writes(std::size_t i) const { return i < writes_.size() && writes_[i].data != nullptr; }
  const Array& read(std::size_t i) const;
  const Array& write(std::size_t i) const;
  // The objects that must stay alive while the arrays' memory is used.
  const std::vector<py::object>& owners() const { return owners_; }
  // The cache that the call's program shares with others; null if there is none.
  TransformedWeightCache* weight_cache() const { return weight_cache_; }

  // Returns the array's memory as T, null if Python passed None. Throws TypeError on another dtype.
  template <class T>
  const T* in(std::size_t i) const {
    return i < reads_.size() ? static_cast<const T*>(typed(reads_[i], py::format_descriptor<T>::c))
                             : nullptr;
  }
  template <class T>
  T* out(std::size_t i) const {
    return i < writes_.size() ? static_cast<T*>(typed(writes_[i], py::format_descriptor<T>::c))
                              : nullptr;
  }

  // Returns the shape of an array with four axes. These four throw a ValueError that names the
  // kernel if a rule does not hold.
  Shape4 shape4(const Array& array) const;
  void require_shape(const Array& array, const std::vector<std::int64_t>& shape) const;
  // Checks that an array has the axes of `rows`, with a last one of this length.
  void require_rows(const Array& array, const Array& rows, std::int64_t length) const;
  void require(bool holds, const std::string& rule) const;

  bool has(const char* attribute) const;
  std::int64_t integer(const char* attribute) const;
  double number(const char* attribute) const;
  bool flag(const char* attribute) const;
  std::string text(const char* attribute) const;
  std::pair<std::int64_t, std::int64_t> pair(const char* attribute) const;
  std::vector<std::int64_t> integers(const char* attribute) const;
  Window2D window(const char* attribute) const;  // a minicnn.shapes.Window2D, checked

 private:
  void* typed(const Array& array, char dtype) const;
  py::object attribute(const char* name) const;
  template <class T>
  T value(const py::handle& object, const char* name) const;  // throws TypeError
  std::vector<Array> arrays_of(const py::sequence& objects, const char* what, bool written);
  void require_no_overlap() const;

  std::string kernel_;
  std::vector<py::object> owners_;
  std::vector<Array> reads_, writes_;
  py::dict attributes_;
  TransformedWeightCache* weight_cache_;
};

// A call that has been checked: it can run any number of times, without Python and without
// throwing. `scratch` has scratch_bytes bytes, aligned to 64 bytes and uninitialized.
struct Prepared {
  std::function<void(char* scratch)> run;
  std::size_t scratch_bytes = 0;
};

struct Kernel {
  std::string name;
  std::function<Prepared(const Call&)> prepare;
};

// The kernels of the native engine, one function per topic; module.cpp joins them.
std::vector<Kernel> conv2d_kernels();
std::vector<Kernel> dense_kernels();
std::vector<Kernel> pool_kernels();
std::vector<Kernel> activation_kernels();
std::vector<Kernel> norm_kernels();
std::vector<Kernel> fold_kernels();
std::vector<Kernel> group_norm_kernels();
std::vector<Kernel> image_kernels();
std::vector<Kernel> elementwise_kernels();
std::vector<Kernel> loss_kernels();
std::vector<Kernel> optimizer_kernels();
std::vector<Kernel> augment_kernels();
std::vector<Kernel> tensor_axis_kernels();
std::vector<Kernel> tensor_value_kernels();
std::vector<Kernel> upsample_kernels();

}  // namespace minicnn
