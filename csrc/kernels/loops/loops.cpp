#include "kernels/loops/loops.hpp"

namespace minicnn {
namespace {

const Loops& choose() {
  const Loops* all[] = {
#define LOOPS(isa) &loops_##isa,
#include "kernels/loops/loops.inc"
#undef LOOPS
  };
  for (const Loops* one : all) {
    if (has(one->needs)) return *one;
  }
  return loops_generic;
}

}  // namespace

const Loops& loops() {
  static const Loops& best = choose();
  return best;
}

}  // namespace minicnn
