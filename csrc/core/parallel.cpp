#include "core/parallel.hpp"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>

#include "core/team.hpp"

namespace minicnn {
namespace {

constexpr int kMinWorkers = 8;

std::atomic<bool> team_busy{false};

int from_environment(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr) return 0;
  char* end = nullptr;
  const long value = std::strtol(text, &end, 10);
  const bool whole = end != text && (*end == '\0' || *end == ',');  // "4,2": inside each, 2 more
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
      forget_team();
      team_busy = false;
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
  Watch* watch = Watch::of_this_thread();
  if (watch != nullptr) {
    if (watch->given_up()) return;
    watch->begin(tasks);
  }
  const int workers = int(std::min<std::int64_t>(num_threads(), tasks));
  if (workers <= 1 || team_busy.exchange(true)) {
    for (std::int64_t task = 0; task < tasks; ++task) {
      run(context, task, 0);
      if (watch != nullptr && watch->look_between_tasks()) return;
    }
    return;
  }
  run_in_team(tasks, workers, run, context, watch);
  team_busy = false;
}

}  // namespace minicnn
