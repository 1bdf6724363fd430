#include "kernels/conv2d/vectors_avx2.hpp"
#include "kernels/conv2d/winograd_body.hpp"

namespace minicnn {

constexpr WinogradTransforms winograd3_avx2 = transforms_of<SixPoints, 3>();
constexpr WinogradTransforms winograd5_avx2 = transforms_of<EightPoints, 5>();

}  // namespace minicnn
