#pragma once

#include <cstdint>

#include "core/cancellation.hpp"
#include "core/parallel.hpp"

namespace minicnn {

// The threads that parallel_for runs on. There are two implementations; the build chooses one:
//   thread_pool_std.cpp     std::thread (the default)
//   thread_pool_openmp.cpp  OpenMP
// Neither may be called by two threads at once or from inside a task; parallel_for ensures both.

// Runs run(context, task, worker) once for every task in [0, tasks). Worker 0 is the calling
// thread; up to workers - 1 threads of the pool help. If `cancellation`, which may be null, is
// cancelled, tasks that have not begun are skipped.
void run_on_thread_pool(std::int64_t tasks, int workers, Task run, void* context,
                        Cancellation* cancellation) noexcept;

// To be called in a forked child, in which the parent's threads do not exist: later calls make new
// threads, or run on the calling thread alone.
void forget_thread_pool();

}  // namespace minicnn
