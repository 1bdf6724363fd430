#pragma once

#include <cstdint>

#include "core/parallel.hpp"
#include "core/watch.hpp"

namespace minicnn {

// The threads behind parallel_for, in one of two versions chosen when minicnn is built:
//   team_threads.cpp  threads of our own (the default)
//   team_openmp.cpp   OpenMP's
// Neither is for two callers at once, nor from inside a task; parallel_for sees to that.

// Runs every task once. Worker 0 is the caller; others may help, up to workers - 1. If the caller's
// `watch`, which may be null, gives up, tasks that were not begun are left out.
void run_in_team(std::int64_t tasks, int workers, Task run, void* context, Watch* watch) noexcept;

// In a forked child, which has none of its parent's threads: from now on make new ones, or none.
void forget_team();

}  // namespace minicnn
