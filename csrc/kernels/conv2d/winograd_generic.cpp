#include "kernels/conv2d/vectors_generic.hpp"
#include "kernels/conv2d/winograd_body.hpp"

namespace minicnn {

constexpr WinogradTransforms winograd3_generic = transforms_of<SixPoints, 3>();
constexpr WinogradTransforms winograd5_generic = transforms_of<EightPoints, 5>();

}  // namespace minicnn
