#include "core/cancellation.hpp"

namespace minicnn {
namespace {

thread_local Cancellation* current = nullptr;

}  // namespace

Cancellation::Cancellation(Requested requested, void* context) noexcept
    : requested_(requested),
      context_(context),
      outer_(current),
      next_poll_(std::chrono::steady_clock::now() + kInterval) {
  current = this;
}

Cancellation::~Cancellation() { current = outer_; }

Cancellation* Cancellation::of_this_thread() noexcept { return current; }

bool Cancellation::poll() noexcept {
  if (cancelled_ || std::chrono::steady_clock::now() < next_poll_) return cancelled_;
  cancelled_ = requested_(context_);
  next_poll_ = std::chrono::steady_clock::now() + kInterval;
  return cancelled_;
}

}  // namespace minicnn
