#pragma once

#include <chrono>
#include <cstdint>

namespace minicnn {

// While one lives, what this thread computes may be given up. Between tasks of its parallel_for,
// seldom and on this thread alone, `asked` is called; once it has said yes, tasks that were not
// begun are left out, in this and in every later parallel_for, until the Watch is gone. What the
// kernels wrote is then of no use to anybody. A thread has one; what `asked` calls may compute
// under another one, after which this one is the thread's again.
class Watch {
 public:
  using Asked = bool (*)(void* context);  // it must not throw

  Watch(Asked asked, void* context) noexcept;
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  static Watch* of_this_thread() noexcept;  // or null
  bool given_up() const { return given_up_; }

  // Asks, if that was long ago; returns given_up().
  bool look() noexcept;
  // The same for one of `tasks` tasks, of which so many read the clock.
  void begin(std::int64_t tasks) { left_ = stride_ = tasks / kLooks + 1; }
  bool look_between_tasks() noexcept {
    if (--left_ > 0) return given_up_;
    left_ = stride_;
    return look();
  }

 private:
  static constexpr std::chrono::milliseconds kBetween{50};
  static constexpr std::int64_t kLooks = 64;

  Asked asked_;
  void* context_;
  Watch* before_;  // the one that the thread had until then
  std::chrono::steady_clock::time_point next_;
  std::int64_t stride_ = 1, left_ = 1;
  bool given_up_ = false;
};

}  // namespace minicnn
