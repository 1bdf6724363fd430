#include "core/parallel.hpp"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>

#ifdef MINICNN_STD_THREADS
#include <thread>
#include <vector>
#else
#include <omp.h>
#endif

namespace minicnn {
namespace {

// Set in a forked child: OpenMP's team did not survive the fork and waking it would hang.
std::atomic<bool> team_lost{false};
std::atomic<bool> team_busy{false};
std::atomic<bool> team_used{false};

int from_environment(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr) return 0;
  char* end = nullptr;
  const long value = std::strtol(text, &end, 10);
  return end != text && *end == '\0' && value >= 1 ? int(std::min<long>(value, kMaxWorkers)) : 0;
}

int processors() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return std::clamp(CPU_COUNT(&set), 1, kMaxWorkers);
}

int default_threads() {
  if (const int n = from_environment("MINICNN_NUM_THREADS")) return n;
  if (const int n = from_environment("OMP_NUM_THREADS")) return n;
  return processors();
}

std::atomic<int>& thread_count() {
  static std::atomic<int> count = [] {
    pthread_atfork(nullptr, nullptr, [] {
      team_lost = team_used.load();
      team_busy = false;
    });
    return default_threads();
  }();
  return count;
}

// Worker `worker` of `team` takes [tasks * worker / team, tasks * (worker + 1) / team).
void run_range(std::int64_t tasks, int team, int worker, Task run, void* context) {
  const std::int64_t begin = tasks * worker / team, end = tasks * (worker + 1) / team;
  for (std::int64_t task = begin; task < end; ++task) run(context, task, worker);
}

void run_team(std::int64_t tasks, int team, Task run, void* context) {
  team_used = true;
#ifdef MINICNN_STD_THREADS
  std::vector<std::thread> others;
  for (int worker = 1; worker < team; ++worker) {
    others.emplace_back(run_range, tasks, team, worker, run, context);
  }
  run_range(tasks, team, 0, run, context);
  for (std::thread& other : others) other.join();
#else
  // OpenMP may grant fewer threads than asked for, so the loop is over workers, not threads.
#pragma omp parallel for schedule(static, 1) num_threads(team)
  for (int worker = 0; worker < team; ++worker) run_range(tasks, team, worker, run, context);
#endif
}

}  // namespace

int num_threads() { return thread_count(); }

void set_num_threads(int threads) { thread_count() = std::clamp(threads, 1, kMaxWorkers); }

void parallel_for_each(std::int64_t tasks, Task run, void* context) noexcept {
  const int team = int(std::min<std::int64_t>(num_threads(), tasks));
  if (team <= 1 || team_lost || team_busy.exchange(true)) {
    run_range(tasks, 1, 0, run, context);
    return;
  }
  run_team(tasks, team, run, context);
  team_busy = false;
}

}  // namespace minicnn
