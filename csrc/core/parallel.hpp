#pragma once

#include <cstdint>
#include <type_traits>

namespace minicnn {

// Workers are numbered below this: as many as the machine has processors, or 8, and never more than
// kMaxWorkers. Scratch memory that is kept per worker is asked for this many times, so that the
// thread count may change at any moment. What no worker touches costs nothing, but gaps between
// what they touch do, on huge pages.
int max_workers();
constexpr int kMaxWorkers = 64;

// Threads that a parallel_for may use. From MINICNN_NUM_THREADS, else OMP_NUM_THREADS, else the
// processors that this process may run on.
int num_threads();
void set_num_threads(int threads);  // max_workers() at most

using Task = void (*)(void* context, std::int64_t task, int worker);

// Calls run(context, task, worker) once for every task in [0, tasks). Each worker, numbered from 0
// to num_threads() - 1, takes one contiguous range. Which worker takes a task must not change the
// result: cut work in pieces of fixed size, join sums in a fixed order.
//
// Runs on the calling thread alone when another thread is inside a parallel_for, when called from
// inside one, and in a child forked after the first use (its team is gone; libgomp would hang).
void parallel_for_each(std::int64_t tasks, Task run, void* context) noexcept;

// The same for a lambda (task, worker). It must not throw.
template <class F>
void parallel_for(std::int64_t tasks, F&& body) noexcept {
  parallel_for_each(
      tasks,
      [](void* context, std::int64_t task, int worker) {
        (*static_cast<std::remove_reference_t<F>*>(context))(task, worker);
      },
      &body);
}

}  // namespace minicnn
