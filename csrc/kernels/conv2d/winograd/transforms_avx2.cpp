#include "kernels/gemm/vectors_avx2.hpp"
// Must follow the vector types, which it uses.
#include "kernels/conv2d/winograd/transforms_body.hpp"

namespace minicnn {

constexpr WinogradTransforms winograd3_avx2 = transforms_of<SixPoints, 3>();
constexpr WinogradTransforms winograd5_avx2 = transforms_of<EightPoints, 5>();

}  // namespace minicnn
