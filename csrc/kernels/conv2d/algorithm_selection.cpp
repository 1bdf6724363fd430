#include "kernels/conv2d/algorithm_selection.hpp"

#include <algorithm>

#include "kernels/conv2d/depthwise.hpp"
#include "kernels/conv2d/one_filter.hpp"
#include "kernels/conv2d/sparse/density.hpp"
#include "kernels/conv2d/sparse/micro.hpp"
#include "kernels/conv2d/winograd/tiles.hpp"
#include "kernels/conv2d/winograd/winograd.hpp"

namespace minicnn {
namespace {

// The least estimated gain for which Winograd's algorithm is selected: less would not be worth its
// larger rounding errors.
constexpr double kWorthIt = 1.5;
// The cost of the transforms, in products of one point: per channel or filter for a tile, and in
// tiles for the weights. Fitted to the gains measured with 3 to 64 channels, which the estimate
// meets within 15 %: 3x3, 16 to 16 channels: 1.7, 32 to 32: 2.4, 64 to 64: 2.7; 5x5: 2.7, 3.8, 3.9
// (AMD EPYC 9005, AVX-512, 2026-11). With AVX2 they are half as large.
constexpr double kTransformsOfTile = 11, kTransformsOfWeights = 8;
// The number of images over which the cost of the weights' transform is spread, at most: so a batch
// of this size or more and a shorter last batch select the same algorithm. A few images are a
// different matter: for a single tile, the time goes into the transformed weights, four times as
// many as the weights.
constexpr std::int64_t kMaxImages = 16;

// Returns the products of the direct algorithm divided by the products and transforms of
// Winograd's, for outputs of `h` x `w` pixels per image.
double estimated_winograd_gain(const Conv2D& conv, std::int64_t h, std::int64_t w) {
  const double images = double(std::clamp<std::int64_t>(conv.x.n, 1, kMaxImages));
  const TileGrid grid{1, h, w};
  const double kernel = double(conv.window.kh), points = kernel + kWinogradOutputs - 1;
  const double channels = double(conv.x.c), filters = double(conv.filters);
  const double tiles = double(grid.tiles()), products = channels * filters;
  const double of_tiles = tiles * (products + kTransformsOfTile * (channels + filters));
  const double of_weights = kTransformsOfWeights * products / images;
  const double outputs = double(conv.oh() * conv.ow());
  return outputs * kernel * kernel * products / (points * points * (of_tiles + of_weights));
}

// Returns whether some output reads padding alone. It must be exactly the bias, but Winograd's
// algorithm computes an output from everything that its tile reads.
bool has_output_of_padding_only(const Window2D& win) {
  return std::max(win.top, win.bottom) >= win.kh || std::max(win.left, win.right) >= win.kw;
}

// Returns whether some cell of the kernel reads padding alone. The gradient of its weights must be
// 0.
bool has_cell_of_padding_only(const Conv2D& conv) {
  const Window2D& win = conv.window;
  return conv.x.h + std::min(win.top, win.bottom) < win.kh ||
         conv.x.w + std::min(win.left, win.right) < win.kw;
}

bool selects_one_filter(const Conv2D& conv) {
  return conv.algorithm == Algorithm::automatic && has_one_filter(conv);
}

// Selects among the algorithms that do not skip zeros; `h` and `w` as in estimated_winograd_gain.
Algorithm select(const Conv2D& conv, std::int64_t h, std::int64_t w, bool reads_padding_only) {
  if (conv.algorithm == Algorithm::direct) return Algorithm::direct;
  if (is_depthwise(conv)) return Algorithm::depthwise;
  if (!winograd_fits(conv)) return Algorithm::direct;
  if (conv.algorithm == Algorithm::winograd) return Algorithm::winograd;
  const bool pays = !reads_padding_only && estimated_winograd_gain(conv, h, w) > kWorthIt;
  return pays ? Algorithm::winograd : Algorithm::direct;
}

// pool_sparse, unless the caller asks for the direct algorithm or the shapes do not fit: it was at
// least as fast as the direct algorithm, which first writes the gradient of all cells, on every
// instruction set. Times of direct / pool_sparse on 2 busy cores of an AMD EPYC 9005 (2026-11),
// after a ReLU that clipped nothing; if it clips 60 % of the windows, pool_sparse takes 0.4 to 0.8
// of its time:
// clang-format off
//                                            dw, AVX-512    AVX2         dx, AVX-512    AVX2
//   150x150, 3 to 32 channels, 3x3, batch 32   22 / 7.5 ms   22 / 9.7      30 / 8.9 ms   35 / 14
//   74x74, 32 to 64, 3x3, batch 32             25 / 7.2      41 / 16       20 / 8.2      39 / 16
//   17x17, 128 to 256, 3x3, batch 32           11 / 3.6      25 / 7.9      11 / 5.6      29 / 8.1
//   125x125, 32 to 64, 5x5, batch 16           89 / 22      204 / 38       61 / 30      121 / 41
//   12x12, 20 to 50, 5x5, batch 64           0.84 / 0.36    2.5 / 0.61    1.0 / 0.55    2.6 / 0.81
//   28x28, 1 to 20, 5x5, batch 64            0.30 / 0.31   0.57 / 0.36
// clang-format on
Algorithm select_pooled_backward(const PooledConv2D& op) {
  const bool allowed = op.conv.algorithm != Algorithm::direct;
  return allowed && pool_sparse_fits(op) ? Algorithm::pool_sparse : Algorithm::direct;
}

// The fraction of non-zero outputs below which relu_sparse is selected, if the other choice is
// Winograd's or the direct algorithm. Measured after a ReLU without a pooling: ms of relu_sparse if
// 5, 15, 25 and 40 % of the outputs are not zero / ms of the other choice, on 2 cores of an AMD
// EPYC 9005 that had other work, too (2026-11; the figures of a row were taken in turn, rows cannot
// be compared). Three channels do not fill a vector: at 150x150, 3 to 64 channels, relu_sparse
// takes 30 ms or more if 10 % are not zero, and direct takes 20.
// clang-format off
//                                       AVX-512                    AVX2
//   73x73, 64 to 128, 3x3, batch 32     30, 37, 45, 55 / 44      65, 109, 135, 197 / 140
//   34x34, 128 to 256, 3x3, batch 32    17, 24, 29, 55 / 33      49, 75, 101, 136 / 90
//   74x74, 32 to 64, 3x3, batch 32      9, 10, 15, 18 / 14       37, 49, 57, 68 / 45
//   40x40, 16 to 16, 3x3, batch 64      1.6, 1.6, 1.7, 2.1 / 1.6 3.3, 3.8, 4.3, 5.1 / 3.8
//   125x125, 32 to 64, 5x5, batch 16    19, 28, 35, 44 / 28      40, 79, 123, 172 / 100
//   60x60, 16 to 32, 7x7, batch 16      1.9, 2.6, 3.1, 4.3 / 6.9 3.9, 6.7, 9.0, 13 / 24   (direct)
//   73x73, 64 to 64, 1x1, batch 32      18, 19, 12, 17 / 15      25, 24, 26, 28 / 28      (direct)
// clang-format on
constexpr double kLimitByWinograd = 0.18, kLimitByDirect = 0.4;
constexpr std::int64_t kMinSparseChannels = 16;
constexpr std::int64_t kLargeKernel = 16;  // cells

}  // namespace

bool pool_sparse_fits(const PooledConv2D& op) {
  const Window2D& pool = op.pool;
  const bool two_by_two = pool.kh == 2 && pool.kw == 2 && pool.sy == 2 && pool.sx == 2 &&
                          pool.top + pool.bottom + pool.left + pool.right == 0;
  return two_by_two && relu_sparse_fits(op.conv);
}

bool relu_sparse_fits(const Conv2D& conv) {
  const Window2D& win = conv.window;
  const bool plain = conv.groups == 1 && win.sy * win.sx * win.dy * win.dx == 1;
  return plain && win.kh <= kMaxSparseCells && win.kw <= kMaxSparseCells;
}

double relu_sparse_limit(const Conv2D& conv) {
  if (!relu_sparse_fits(conv)) return 0;
  if (conv.algorithm == Algorithm::relu_sparse) return 1;
  if (selects_one_filter(conv)) return 0;
  if (conv.algorithm != Algorithm::automatic || conv.x.c < kMinSparseChannels) return 0;
  if (select_backward_weights(conv) == Algorithm::winograd) return kLimitByWinograd;
  return conv.window.kh * conv.window.kw >= kLargeKernel ? kLimitByDirect : 0;
}

Algorithm select_forward(const Conv2D& conv) {
  if (selects_one_filter(conv)) return Algorithm::one_filter;
  return select(conv, conv.oh(), conv.ow(), has_output_of_padding_only(conv.window));
}

// Every pixel of dx is read by some output of the rotated convolution, so none sees padding alone.
Algorithm select_backward_input(const Conv2D& conv) {
  return select(conv, conv.x.h, conv.x.w, false);
}

Algorithm select_backward_weights(const Conv2D& conv) {
  if (selects_one_filter(conv)) return Algorithm::one_filter;
  return select(conv, conv.oh(), conv.ow(), has_cell_of_padding_only(conv));
}

Algorithm select_backward_weights(const Conv2D& conv, const float* gradient_support) {
  const double limit = relu_sparse_limit(conv);
  const bool sparse = limit >= 1 || (limit > 0 && density(conv.y(), gradient_support) < limit);
  return sparse ? Algorithm::relu_sparse : select_backward_weights(conv);
}

Algorithm select_pooled_forward(const PooledConv2D& op) {
  if (!winograd_fits(op)) return Algorithm::direct;
  return select(op.conv, 2 * op.y().h, 2 * op.y().w, has_output_of_padding_only(op.conv.window));
}

Algorithm select_pooled_backward_input(const PooledConv2D& op) {
  return select_pooled_backward(op);
}

Algorithm select_pooled_backward_weights(const PooledConv2D& op) {
  return select_pooled_backward(op);
}

}  // namespace minicnn
