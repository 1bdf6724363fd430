#pragma once

namespace minicnn {

enum class Isa { generic, avx2, avx512 };

// True if kernels for `isa` may run: this processor and system have it, and MINICNN_ISA, which can
// only lower the level, allows it.
bool has(Isa isa);

// The best level that may run.
Isa best_isa();
const char* name(Isa isa);

}  // namespace minicnn
