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

class KeptWeightsStore;

// Memory of a NumPy array, its shape and the character of its dtype (float32 'f', float64 'd',
// int32 'i', uint32 'I', uint8 'B', and other plain numbers, which can only be copied).
struct Array {
  void* data = nullptr;  // null for None
  char dtype = 0;
  std::int64_t item_bytes = 0;
  std::vector<std::int64_t> shape;

  std::int64_t size() const;
  std::int64_t bytes() const;
};

// One kernel call as Python makes it: arrays by position, attributes by name. The getters check
// all that protects memory; what a caller may ask for was checked in minicnn/ops.
class __attribute__((visibility("hidden"))) Call {
 public:
  Call(std::string kernel, const py::sequence& reads, const py::sequence& writes,
       py::dict attributes, KeptWeightsStore* store = nullptr);

  bool reads(std::size_t i) const { return i < reads_.size() && reads_[i].data != nullptr; }
  bool writes(std::size_t i) const { return i < writes_.size() && writes_[i].data != nullptr; }
  const Array& read(std::size_t i) const;
  const Array& write(std::size_t i) const;
  // What must stay alive for as long as the arrays' memory is used.
  const std::vector<py::object>& owners() const { return owners_; }
  // Where to keep what outlasts this call; null if it is its own.
  KeptWeightsStore* store() const { return store_; }

  // The array's memory as T, null where Python passed None. Throws on another dtype.
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

  // Shapes: of a read or write with four axes, or a demand that one has exactly these.
  Shape4 shape4(const Array& array) const;
  void demand_shape(const Array& array, const std::vector<std::int64_t>& shape) const;
  void demand(bool holds, const std::string& rule) const;  // throws ValueError naming the kernel

  bool has(const char* attribute) const;
  std::int64_t integer(const char* attribute) const;
  double number(const char* attribute) const;
  bool flag(const char* attribute) const;
  std::string text(const char* attribute) const;
  std::pair<std::int64_t, std::int64_t> pair(const char* attribute) const;
  std::vector<std::int64_t> integers(const char* attribute) const;
  Window2D window(const char* attribute) const;  // a minicnn.shapes.Window2D; sizes are checked

 private:
  void* typed(const Array& array, char dtype) const;
  py::object attribute(const char* name) const;
  template <class T>
  T value(const py::handle& object, const char* name) const;  // TypeError if it is none
  std::vector<Array> arrays_of(const py::sequence& objects, const char* what, bool written);
  void demand_no_overlap() const;

  std::string kernel_;
  std::vector<py::object> owners_;
  std::vector<Array> reads_, writes_;
  py::dict attributes_;
  KeptWeightsStore* store_;
};

// A call whose checks are done: it can run any number of times, without Python and without
// throwing. `scratch` is 64-byte aligned and has scratch_bytes bytes, contents undefined.
struct Prepared {
  std::function<void(char* scratch)> run;
  std::size_t scratch_bytes = 0;
};

struct Kernel {
  std::string name;
  std::function<Prepared(const Call&)> prepare;
};

// Every kernel of the native engine, one function a topic; module.cpp joins them.
std::vector<Kernel> conv2d_kernels();
std::vector<Kernel> dense_kernels();
std::vector<Kernel> pool_kernels();
std::vector<Kernel> activation_kernels();
std::vector<Kernel> norm_kernels();
std::vector<Kernel> fold_kernels();
std::vector<Kernel> elementwise_kernels();
std::vector<Kernel> loss_kernels();
std::vector<Kernel> optimizer_kernels();
std::vector<Kernel> augment_kernels();

}  // namespace minicnn
