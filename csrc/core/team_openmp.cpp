// OpenMP's threads: each takes one contiguous range, and all are waited for.

#include <omp.h>

#include <atomic>

#include "core/team.hpp"

namespace minicnn {
namespace {

// Set in a forked child: OpenMP's team did not survive the fork, and waking it would hang.
std::atomic<bool> team_lost{false};
std::atomic<bool> team_used{false};

}  // namespace

void run_in_team(std::int64_t tasks, int workers, Task run, void* context, Watch* watch) noexcept {
  const int team = team_lost ? 1 : workers;
  team_used = true;
  std::atomic<bool> given_up{false};
  // OpenMP may grant fewer threads than asked for, so the loop is over workers, not threads.
#pragma omp parallel for schedule(static, 1) num_threads(team) if (team > 1)
  for (int worker = 0; worker < team; ++worker) {
    const std::int64_t begin = tasks * worker / team, end = tasks * (worker + 1) / team;
    for (std::int64_t task = begin; task < end; ++task) {
      if (given_up.load(std::memory_order_relaxed)) break;
      run(context, task, worker);
      if (worker == 0 && watch != nullptr && watch->look_between_tasks()) given_up = true;
    }
  }
}

void forget_team() { team_lost = team_used.load(); }

}  // namespace minicnn
