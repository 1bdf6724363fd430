#include "kernels/conv2d/vectors_avx512.hpp"
#include "kernels/conv2d/winograd_body.hpp"

namespace minicnn {

constexpr WinogradTransforms winograd3_avx512 = transforms_of<SixPoints, 3>();
constexpr WinogradTransforms winograd5_avx512 = transforms_of<EightPoints, 5>();

}  // namespace minicnn
