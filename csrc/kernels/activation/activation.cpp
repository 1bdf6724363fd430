#include "kernels/activation/activation.hpp"

#include "core/blocks.hpp"

namespace minicnn {
namespace {

const Activations& fastest() {
  const Activations* all[] = {
#define ACTIVATIONS(isa) &activations_##isa,
#include "kernels/activation/activation.inc"
#undef ACTIVATIONS
  };
  for (const Activations* one : all) {
    if (has(one->needs)) return *one;
  }
  return activations_generic;
}

}  // namespace

const Activations& activations() {
  static const Activations& best = fastest();
  return best;
}

void activation_forward(const Activation& activation, const float* x, std::int64_t size,
                        float parameter, float* y) noexcept {
  parallel_blocks(size, [=, run = activation.forward](std::int64_t begin, std::int64_t end) {
    run(x + begin, end - begin, parameter, y + begin);
  });
}

void activation_backward(const Activation& activation, const float* dy, const float* saved,
                         std::int64_t size, float parameter, float* dx) noexcept {
  parallel_blocks(size, [=, run = activation.backward](std::int64_t begin, std::int64_t end) {
    run(dy + begin, saved + begin, end - begin, parameter, dx + begin);
  });
}

void relu_forward(const float* x, std::int64_t size, float* y) noexcept {
  activation_forward(activations().functions[0], x, size, 0.0F, y);
}

void relu_backward(const float* dy, const float* y, std::int64_t size, float* dx) noexcept {
  activation_backward(activations().functions[0], dy, y, size, 0.0F, dx);
}

}  // namespace minicnn
