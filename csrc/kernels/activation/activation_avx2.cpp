#include "kernels/activation/activation_body.hpp"

namespace minicnn {

constexpr Activations activations_avx2 = activations_of("avx2", Isa::avx2);

}  // namespace minicnn
