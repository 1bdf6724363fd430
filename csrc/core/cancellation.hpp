#pragma once

#include <chrono>
#include <cstdint>

namespace minicnn {

// Lets a caller cancel the computations of this thread. While the object is alive, `requested` is
// called about every 50 ms between the tasks of this thread's parallel_for, on this thread alone.
// Once it has returned true, tasks that have not begun are skipped, in this and in every later
// parallel_for, until the object is destroyed; what the kernels wrote is then incomplete. Objects
// nest: `requested` may itself compute under another Cancellation, after which this one is again
// the thread's current one.
class Cancellation {
 public:
  using Requested = bool (*)(void* context);  // must not throw

  Cancellation(Requested requested, void* context) noexcept;
  ~Cancellation();
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  static Cancellation* of_this_thread() noexcept;  // null if there is none
  bool cancelled() const { return cancelled_; }

  // Calls `requested` if the last call was long enough ago; returns cancelled().
  bool poll() noexcept;
  // The same between tasks: of `tasks` tasks, about 64 read the clock.
  void begin(std::int64_t tasks) { countdown_ = stride_ = tasks / kPolls + 1; }
  bool poll_between_tasks() noexcept {
    if (--countdown_ > 0) return cancelled_;
    countdown_ = stride_;
    return poll();
  }

 private:
  static constexpr std::chrono::milliseconds kInterval{50};
  static constexpr std::int64_t kPolls = 64;

  Requested requested_;
  void* context_;
  Cancellation* outer_;  // the thread's current one until this one was made
  std::chrono::steady_clock::time_point next_poll_;
  std::int64_t stride_ = 1, countdown_ = 1;
  bool cancelled_ = false;
};

}  // namespace minicnn
