#include "core/parallel.hpp"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "core/thread_pool.hpp"

namespace minicnn {
namespace {

constexpr int kMinWorkers = 8;

std::atomic<bool> pool_busy{false};

int from_environment(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr) return 0;
  char* end = nullptr;
  const long value = std::strtol(text, &end, 10);
  const bool whole = end != text && (*end == '\0' || *end == ',');  // "4,2" is for nested regions
  return whole && value >= 1 ? int(std::min<long>(value, max_workers())) : 0;
}

int processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::clamp(CPU_COUNT(&set), 1, max_workers());
}

int default_threads() {
  if (const int n = from_environment("MINICNN_NUM_THREADS")) return n;
  if (const int n = from_environment("OMP_NUM_THREADS")) return n;
  return processors();
}

std::atomic<int>& thread_count() {
  static std::atomic<int> count = [] {
    pthread_atfork(nullptr, nullptr, [] {
      forget_thread_pool();
      pool_busy = false;
    });
    return default_threads();
  }();
  return count;
}

}  // namespace

int max_workers() {
  static const int workers =
      std::clamp(int(sysconf(_SC_NPROCESSORS_CONF)), kMinWorkers, kMaxWorkers);
  return workers;
}

int num_threads() { return thread_count(); }

void set_num_threads(int threads) { thread_count() = std::clamp(threads, 1, max_workers()); }

void parallel_for_each(std::int64_t tasks, Task run, void* context) noexcept {
  Cancellation* cancellation = Cancellation::of_this_thread();
  if (cancellation != nullptr) {
    if (cancellation->cancelled()) return;
    cancellation->begin(tasks);
  }
  const int workers = int(std::min<std::int64_t>(num_threads(), tasks));
  if (workers <= 1 || pool_busy.exchange(true)) {
    for (std::int64_t task = 0; task < tasks; ++task) {
      run(context, task, 0);
      if (cancellation != nullptr && cancellation->poll_between_tasks()) return;
    }
    return;
  }
  run_on_thread_pool(tasks, workers, run, context, cancellation);
  pool_busy = false;
}

}  // namespace minicnn
