#pragma once

#include <cstdint>

#include "core/philox.hpp"

namespace minicnn {

// A stretch of a mask and what decides it: the numbers of `counter`'s block and of those after it.
struct DropoutRun {
  const float* x;
  float* y;             // written: x * scale where kept, else 0
  std::int64_t count;   // a multiple of what the function does at once
  PhiloxWords counter;  // of the first four numbers; its first word does not wrap in this run
  PhiloxKey key;
  std::uint32_t threshold;
  float scale;
};

#define DROPOUT_RUN(isa, numbers) void dropout_run_##isa(const DropoutRun& run);
#include "kernels/dropout_runs.inc"
#undef DROPOUT_RUN

}  // namespace minicnn
