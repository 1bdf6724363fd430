#include "kernels/activation/activation_body.hpp"

namespace minicnn {

constexpr Activations activations_avx512 = activations_of("avx512", Isa::avx512);

}  // namespace minicnn
