#include "kernels/conv2d/winograd/transforms.hpp"

#include "core/isa.hpp"

namespace minicnn {
namespace {

struct Level {
  Isa needs;
  const WinogradTransforms &of3, &of5;
};

constexpr Level kLevels[] = {
#define GEMM_MICRO_KERNEL(isa, rows, columns, row_columns) \
  {Isa::isa, winograd3_##isa, winograd5_##isa},
#include "kernels/gemm/micros.inc"
#undef GEMM_MICRO_KERNEL
};

const Level& fastest() {
  for (const Level& level : kLevels) {
    if (has(level.needs)) return level;
  }
  return kLevels[sizeof kLevels / sizeof kLevels[0] - 1];  // generic always runs
}

}  // namespace

const WinogradTransforms& winograd_transforms(std::int64_t kernel) {
  static const Level& level = fastest();
  return kernel == 3 ? level.of3 : level.of5;
}

}  // namespace minicnn
