#include "kernels/conv2d/winograd_transforms.hpp"

#include "core/isa.hpp"

namespace minicnn {
namespace {

struct Level {
  Isa needs;
  const WinogradTransforms &of3, &of5;
};

constexpr Level kLevels[] = {
#define CONV2D_MICRO(isa, rows, columns, row_columns) {Isa::isa, winograd3_##isa, winograd5_##isa},
#include "kernels/conv2d/micros.inc"
#undef CONV2D_MICRO
};

const Level& choose() {
  for (const Level& level : kLevels) {
    if (has(level.needs)) return level;
  }
  return kLevels[sizeof kLevels / sizeof kLevels[0] - 1];  // generic needs nothing
}

}  // namespace

const WinogradTransforms& winograd_transforms(std::int64_t kernel) {
  static const Level& best = choose();
  return kernel == 3 ? best.of3 : best.of5;
}

}  // namespace minicnn
