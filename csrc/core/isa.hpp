#pragma once

namespace minicnn {

enum class Isa { generic, avx2, avx512 };

// Returns whether kernels for `isa` may run: the processor and the operating system support it, and
// MINICNN_ISA, which can only lower the level, allows it.
bool has(Isa isa);

// The highest level that may run.
Isa best_isa();
const char* name(Isa isa);

}  // namespace minicnn
