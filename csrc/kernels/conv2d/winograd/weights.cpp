#include "core/parallel.hpp"
#include "kernels/conv2d/winograd/tiles.hpp"
#include "kernels/conv2d/winograd/winograd.hpp"
#include "kernels/gemm/micro.hpp"

// U is divided into slices of as many filters as a tile has columns. A slice holds a matrix (C,
// filters of the slice) for every point, so what one product reads is contiguous.

namespace minicnn {
namespace {

std::int64_t slices_of(const Conv2D& conv) {
  return ceil_div(conv.filters, gemm_micro_kernel().columns);
}

}  // namespace

void winograd_transform_weights(const Conv2D& conv, const float* w, float* u) noexcept {
  const WinogradTransforms& transforms = winograd_transforms(conv.window.kh);
  const std::int64_t channels = conv.x.c, columns = gemm_micro_kernel().columns;
  const std::int64_t pitch = matrix_pitch(channels * columns);
  parallel_for(slices_of(conv) * channels, [&](std::int64_t task, int) {
    const std::int64_t slice = task / channels, channel = task % channels;
    WinogradSquare square{};
    square.from = w + channel * conv.filters + slice * columns;
    square.from_row = conv.window.kw * channels * conv.filters;
    square.from_column = channels * conv.filters;
    square.to = u + slice * transforms.values() * pitch + channel * columns;
    square.to_row = transforms.points * pitch;
    square.to_column = pitch;
    square.channels = std::min(columns, conv.filters - slice * columns);
    transforms.weights(square);
  });
}

std::int64_t winograd_weights_size(const Conv2D& conv) {
  const std::int64_t pitch = matrix_pitch(conv.x.c * gemm_micro_kernel().columns);
  return slices_of(conv) * winograd_transforms(conv.window.kh).values() * pitch;
}

}  // namespace minicnn
