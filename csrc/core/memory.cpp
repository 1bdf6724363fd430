#include "core/memory.hpp"

#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace minicnn {
namespace {

constexpr std::size_t kCacheLineBytes = 64;
constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

char* allocate(std::size_t bytes, std::size_t alignment) {
  return static_cast<char*>(::operator new(bytes, std::align_val_t{alignment}));
}

}  // namespace

Memory::Memory(std::size_t bytes) : bytes_(bytes) {
  const std::size_t alignment = bytes < kHugePageBytes ? kCacheLineBytes : kHugePageBytes;
  data_ = {allocate(bytes, alignment), Free{alignment}};
#if defined(__linux__)
  if (alignment == kHugePageBytes)
    madvise(data_.get(), bytes, MADV_HUGEPAGE);  // a hint: failure is fine
#endif
}

void Memory::Free::operator()(char* data) const {
  ::operator delete(data, std::align_val_t{alignment});
}

}  // namespace minicnn
