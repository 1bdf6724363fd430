#pragma once

#include <cstddef>
#include <cstdint>

namespace minicnn {

// Cuts arrays, each on its own cache lines, from scratch memory. Without memory it only counts, so
// one function that lays the arrays out also tells how many bytes they need.
class Carver {
 public:
  explicit Carver(char* memory) : memory_(memory) {}

  template <class T>
  T* take(std::int64_t count) {
    T* array = memory_ == nullptr ? nullptr : reinterpret_cast<T*>(memory_ + bytes_);
    bytes_ += (std::size_t(count) * sizeof(T) + 63) / 64 * 64;
    return array;
  }

  std::size_t bytes() const { return bytes_; }

 private:
  char* memory_;
  std::size_t bytes_ = 0;
};

}  // namespace minicnn
