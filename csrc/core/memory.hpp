#pragma once

#include <cstddef>
#include <memory>

namespace minicnn {

// Uninitialized memory, aligned to a cache line. A block of 2 MiB or more is aligned to a huge page
// and asks the system for huge pages, so that walking through it misses fewer address translations.
class Memory {
 public:
  Memory() = default;
  explicit Memory(std::size_t bytes);  // throws std::bad_alloc

  char* data() const { return data_.get(); }
  std::size_t bytes() const { return data_ == nullptr ? 0 : bytes_; }  // 0 after a move

 private:
  struct Free {
    std::size_t alignment;
    void operator()(char* data) const;
  };
  std::unique_ptr<char, Free> data_{nullptr, Free{1}};
  std::size_t bytes_ = 0;
};

}  // namespace minicnn
