#pragma once

#include <cstddef>
#include <cstdint>

namespace minicnn {

// Allocates arrays one after the other from a kernel's scratch memory, each aligned to a cache
// line. Without memory (null) it only counts, and every array is null: so the same code that lays
// out a kernel's arrays also computes how many bytes they need.
class ScratchAllocator {
 public:
  explicit ScratchAllocator(char* memory) : memory_(memory) {}

  template <class T>
  T* allocate(std::int64_t count) {
    T* array = memory_ == nullptr ? nullptr : reinterpret_cast<T*>(memory_ + bytes_);
    bytes_ += (std::size_t(count) * sizeof(T) + 63) / 64 * 64;
    return array;
  }

  // The number of bytes allocated so far.
  std::size_t bytes() const { return bytes_; }

 private:
  char* memory_;
  std::size_t bytes_ = 0;
};

}  // namespace minicnn
