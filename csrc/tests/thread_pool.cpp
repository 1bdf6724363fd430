// A stress test of parallel_for: random sizes, changing thread counts, two callers at once, tasks
// of uneven length, forked children. tests/test_thread_pool.py builds it, also with
// ThreadSanitizer.
//   thread_pool SECONDS [fork]

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

#include "core/cancellation.hpp"
#include "core/parallel.hpp"

namespace {

using namespace minicnn;

std::atomic<bool> wrong{false};

void require(bool holds, const char* rule) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", rule);
  wrong = true;
}

// A job whose memory is freed as soon as it is done, as a kernel's scratch memory is. The counters
// are not atomic: a task that two workers run, or two tasks with the same worker number at the same
// time, are a data race.
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
  require(total == tasks, "the workers' tasks must add up");
  for (const int count : done) require(count == 1, "every task must run once");
}

void call_until(std::chrono::steady_clock::time_point end, unsigned seed) {
  std::mt19937 random(seed);
  while (!wrong && std::chrono::steady_clock::now() < end) {
    if (random() % 50 == 0) set_num_threads(int(random() % 6) + 1);
    if (random() % 100 == 0) std::this_thread::sleep_for(std::chrono::microseconds(300));
    run_job(random);
  }
}

// A forked child has no threads of its pool: it must start its own.
void fork_once(unsigned seed) {
  const pid_t child = fork();
  if (child == 0) {
    std::mt19937 random(seed);
    for (int i = 0; i < 100; ++i) run_job(random);
    _exit(wrong ? 1 : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  require(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a forked child must compute");
}

// Like a signal handler that computes something itself and then raises an exception.
bool compute_and_raise(void*) {
  Cancellation inner([](void*) { return false; }, nullptr);
  parallel_for(10, [](std::int64_t, int) {});
  return true;
}

void cancel_after_a_nested_cancellation() {
  Cancellation cancellation(compute_and_raise, nullptr);
  std::this_thread::sleep_for(std::chrono::milliseconds(60));
  require(cancellation.poll(), "a Cancellation must poll after a while");
  require(Cancellation::of_this_thread() == &cancellation,
          "a Cancellation must be the current one again after a nested one");
  bool begun = false;
  parallel_for(1, [&](std::int64_t, int) { begun = true; });
  require(!begun, "a cancelled thread must not begin tasks");
}

}  // namespace

int main(int count, char** words) {
  const bool forks = count > 2 && std::strcmp(words[2], "fork") == 0;
  const auto end = std::chrono::steady_clock::now() +
                   std::chrono::milliseconds(std::int64_t(1000 * std::atof(words[1])));
  set_num_threads(4);
  cancel_after_a_nested_cancellation();
  std::thread other(call_until, end, 1U);
  if (forks) {
    for (unsigned i = 0; !wrong && std::chrono::steady_clock::now() < end; ++i) fork_once(i);
  } else {
    call_until(end, 2U);
  }
  other.join();
  return wrong ? 1 : 0;
}
