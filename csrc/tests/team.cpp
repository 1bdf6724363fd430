// Hammers parallel_for: random sizes, changing thread counts, two callers at once, tasks of uneven
// length, forked children. tests/test_team.py builds it, also under ThreadSanitizer.
//   team SECONDS [fork]

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include "core/parallel.hpp"
#include "core/watch.hpp"

namespace {

using namespace minicnn;

std::atomic<bool> wrong{false};

void demand(bool holds, const char* rule) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", rule);
  wrong = true;
}

// A job whose memory is gone as soon as it is done, as a kernel's scratch is. Neither counter is
// atomic: a task that two workers take, or two tasks with one number at once, are a data race.
void run_job(std::mt19937& random) {
  const std::int64_t tasks = random() % 300;
  const bool uneven = random() % 4 == 0;
  std::vector<int> done(std::size_t(tasks), 0);
  std::vector<std::int64_t> by_worker(max_workers(), 0);
  parallel_for(tasks, [&](std::int64_t task, int worker) {
    if (uneven && task % 37 == 0) std::this_thread::sleep_for(std::chrono::microseconds(50));
    ++done[std::size_t(task)];
    ++by_worker[std::size_t(worker)];
  });
  std::int64_t total = 0;
  for (const std::int64_t count : by_worker) total += count;
  demand(total == tasks, "the workers' tasks must add up");
  for (const int count : done) demand(count == 1, "every task must run once");
}

void call_until(std::chrono::steady_clock::time_point end, unsigned seed) {
  std::mt19937 random(seed);
  while (!wrong && std::chrono::steady_clock::now() < end) {
    if (random() % 50 == 0) set_num_threads(int(random() % 6) + 1);
    if (random() % 100 == 0) std::this_thread::sleep_for(std::chrono::microseconds(300));
    run_job(random);
  }
}

// In a child there are no helpers: it must make its own.
void fork_once(unsigned seed) {
  const pid_t child = fork();
  if (child == 0) {
    std::mt19937 random(seed);
    for (int i = 0; i < 100; ++i) run_job(random);
    _exit(wrong ? 1 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  demand(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a forked child must compute");
}

// As where a signal's handler computes something itself, and then raises.
bool compute_and_raise(void*) {
  Watch inner([](void*) { return false; }, nullptr);
  parallel_for(10, [](std::int64_t, int) {});
  return true;
}

void give_up_after_another_watch() {
  Watch watch(compute_and_raise, nullptr);
  std::this_thread::sleep_for(std::chrono::milliseconds(60));
  demand(watch.look(), "a Watch must ask after a while");
  demand(Watch::of_this_thread() == &watch, "a Watch must be the thread's again after another one");
  bool begun = false;
  parallel_for(1, [&](std::int64_t, int) { begun = true; });
  demand(!begun, "what was given up must not go on");
}

}  // namespace

int main(int count, char** words) {
  const bool forks = count > 2 && std::strcmp(words[2], "fork") == 0;
  const auto end = std::chrono::steady_clock::now() +
                   std::chrono::milliseconds(std::int64_t(1000 * std::atof(words[1])));
  set_num_threads(4);
  give_up_after_another_watch();
  std::thread other(call_until, end, 1U);
  if (forks) {
    for (unsigned i = 0; !wrong && std::chrono::steady_clock::now() < end; ++i) fork_once(i);
  } else {
    call_until(end, 2U);
  }
  other.join();
  return wrong ? 1 : 0;
}
