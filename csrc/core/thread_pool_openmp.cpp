// OpenMP's threads: each takes one contiguous range of the tasks, and the caller waits for all.

#include <omp.h>

#include <atomic>

#include "core/thread_pool.hpp"

namespace minicnn {
namespace {

// Set in a forked child: OpenMP's threads did not survive the fork, and waking them would hang.
std::atomic<bool> pool_lost{false};
std::atomic<bool> pool_used{false};

}  // namespace

void run_on_thread_pool(std::int64_t tasks, int workers, Task run, void* context,
                        Cancellation* cancellation) noexcept {
  const int threads = pool_lost ? 1 : workers;
  pool_used = true;
  std::atomic<bool> cancelled{false};
  // OpenMP may grant fewer threads than asked for, so the loop is over workers, not threads.
#pragma omp parallel for schedule(static, 1) num_threads(threads) if (threads > 1)
  for (int worker = 0; worker < threads; ++worker) {
    const std::int64_t begin = tasks * worker / threads, end = tasks * (worker + 1) / threads;
    for (std::int64_t task = begin; task < end; ++task) {
      if (cancelled.load(std::memory_order_relaxed)) break;
      run(context, task, worker);
      if (worker == 0 && cancellation != nullptr && cancellation->poll_between_tasks()) {
        cancelled = true;
      }
    }
  }
}

void forget_thread_pool() { pool_lost = pool_used.load(); }

}  // namespace minicnn
