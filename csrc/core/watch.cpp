#include "core/watch.hpp"

namespace minicnn {
namespace {

thread_local Watch* current = nullptr;

}  // namespace

Watch::Watch(Asked asked, void* context) noexcept
    : asked_(asked),
      context_(context),
      before_(current),
      next_(std::chrono::steady_clock::now() + kBetween) {
  current = this;
}

Watch::~Watch() { current = before_; }

Watch* Watch::of_this_thread() noexcept { return current; }

bool Watch::look() noexcept {
  if (given_up_ || std::chrono::steady_clock::now() < next_) return given_up_;
  given_up_ = asked_(context_);
  next_ = std::chrono::steady_clock::now() + kBetween;
  return given_up_;
}

}  // namespace minicnn
