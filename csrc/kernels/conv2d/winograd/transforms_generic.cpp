#include "kernels/gemm/vectors_generic.hpp"
// Must follow the vector types, which it uses.
#include "kernels/conv2d/winograd/transforms_body.hpp"

namespace minicnn {

constexpr WinogradTransforms winograd3_generic = transforms_of<SixPoints, 3>();
constexpr WinogradTransforms winograd5_generic = transforms_of<EightPoints, 5>();

}  // namespace minicnn
