#include "core/isa.hpp"

#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace minicnn {
namespace {

Isa limit() {
  const char* text = std::getenv("MINICNN_ISA");
  for (const Isa isa : {Isa::generic, Isa::avx2}) {
    if (text != nullptr && std::strcmp(text, name(isa)) == 0) return isa;
  }
  return Isa::avx512;  // also for an unknown level: minicnn/backends warns about it
}

#if defined(__x86_64__)
// __builtin_cpu_supports also checks (XGETBV) that the operating system saves the registers.
bool processor_has(Isa isa) {
  switch (isa) {
    case Isa::generic:
      return true;
    case Isa::avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case Isa::avx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("fma");
  }
  return false;
}
#else
bool processor_has(Isa isa) { return isa == Isa::generic; }
#endif

}  // namespace

bool has(Isa isa) {
  static const Isa highest = limit();
  return isa <= highest && processor_has(isa);
}

Isa best_isa() {
  for (const Isa isa : {Isa::avx512, Isa::avx2}) {
    if (has(isa)) return isa;
  }
  return Isa::generic;
}

const char* name(Isa isa) {
  switch (isa) {
    case Isa::generic:
      return "generic";
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
  }
  return "?";
}

}  // namespace minicnn
