#include "kernels/activation/activation_body.hpp"

namespace minicnn {

constexpr Activations activations_generic = activations_of("generic", Isa::generic);

}  // namespace minicnn
