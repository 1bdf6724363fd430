#pragma once

#include <cstdint>
#include <type_traits>

namespace minicnn {

// The number of workers that there can be: the machine's processors, at least 8 and at most
// kMaxWorkers. Scratch memory per worker is allocated for all of them, so that the thread count may
// change at any moment. Memory that no worker touches costs nothing, except that gaps between
// touched parts waste huge pages.
int max_workers();
constexpr int kMaxWorkers = 64;

// The number of threads that a parallel_for may use. The default is MINICNN_NUM_THREADS, else
// OMP_NUM_THREADS, else the number of processors that this process may run on.
int num_threads();
void set_num_threads(int threads);  // clamped to [1, max_workers()]

using Task = void (*)(void* context, std::int64_t task, int worker);

// Calls run(context, task, worker) once for every task in [0, tasks). Workers are numbered from 0
// to num_threads() - 1. The result must not depend on which worker runs a task: divide the work
// into blocks of fixed size, and add up their sums in a fixed order.
//
// Runs on the calling thread alone when another thread is inside a parallel_for, when called from
// inside one, and with OpenMP in a child forked after the first use, where libgomp would hang.
void parallel_for_each(std::int64_t tasks, Task run, void* context) noexcept;

// The same for a callable body(task, worker), which must not throw.
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
