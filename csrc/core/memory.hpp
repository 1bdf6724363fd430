#pragma once

#include <cstddef>
#include <memory>

namespace minicnn {

// Memory on cache lines, contents undefined. A large piece begins on a huge page and asks the
// system for more of these, so that walking through it misses fewer addresses.
class Memory {
 public:
  Memory() = default;
  explicit Memory(std::size_t bytes);  // throws std::bad_alloc

  char* data() const { return data_.get(); }
  std::size_t bytes() const { return data_ == nullptr ? 0 : bytes_; }  // 0 once moved from

 private:
  struct Free {
    std::size_t alignment;
    void operator()(char* data) const;
  };
  std::unique_ptr<char, Free> data_{nullptr, Free{1}};
  std::size_t bytes_ = 0;
};

}  // namespace minicnn
