#include "kernels/conv2d/chooser.hpp"

#include <algorithm>

#include "kernels/conv2d/density.hpp"
#include "kernels/conv2d/depthwise.hpp"
#include "kernels/conv2d/sparse_micro.hpp"
#include "kernels/conv2d/winograd.hpp"
#include "kernels/conv2d/winograd_tiles.hpp"

namespace minicnn {
namespace {

// Least estimated gain for which Winograd's algorithm is taken: less would not be worth its larger
// rounding errors.
constexpr double kWorthIt = 1.5;
// The cost of transforms in products of one point: of a tile, by channel; of the weights, in tiles.
// Fitted to the gains of 3 to 64 channels, which the estimate then meets within 15 %: 3x3, 16 to
// 16: 1.7, 32 to 32: 2.4, 64 to 64: 2.7; 5x5: 2.7, 3.8, 3.9 (AMD EPYC 9005, AVX-512, 2026-11). With
// AVX2 they are half as large.
constexpr double kTransformsOfTile = 11, kTransformsOfWeights = 8;
// More images than these share the weights' transform no better: batches from here on, and a last
// batch that is shorter, are computed alike. A few images alone are another matter: for one tile
// the transformed weights, four times as many, are all that moves.
constexpr std::int64_t kImages = 16;

// Products of the direct algorithm by those of Winograd's and what its transforms cost, for outputs
// of `h` x `w` pixels of each image.
double winograd_gain(const Conv2D& conv, std::int64_t h, std::int64_t w) {
  const double images = double(std::clamp<std::int64_t>(conv.x.n, 1, kImages));
  const TileGrid grid{1, h, w};
  const double kernel = double(conv.window.kh), points = kernel + kWinogradOutputs - 1;
  const double channels = double(conv.x.c), filters = double(conv.filters);
  const double tiles = double(grid.tiles()), products = channels * filters;
  const double of_tiles = tiles * (products + kTransformsOfTile * (channels + filters));
  const double of_weights = kTransformsOfWeights * products / images;
  const double outputs = double(conv.oh() * conv.ow());
  return outputs * kernel * kernel * products / (points * points * (of_tiles + of_weights));
}

// `h` and `w` as above.
Algorithm choose(const Conv2D& conv, std::int64_t h, std::int64_t w) {
  if (conv.algorithm == Algorithm::direct) return Algorithm::direct;
  if (is_depthwise(conv)) return Algorithm::depthwise;
  if (!winograd_fits(conv)) return Algorithm::direct;
  if (conv.algorithm == Algorithm::winograd) return Algorithm::winograd;
  return winograd_gain(conv, h, w) > kWorthIt ? Algorithm::winograd : Algorithm::direct;
}

// The winners alone, wherever the caller leaves the choice and the shapes fit: on every instruction
// set they were at least as fast as all cells, whose gradient must be written first, too. Direct /
// pool_sparse on 2 busy cores of an AMD EPYC 9005 (2026-11), behind a ReLU that clipped nothing;
// behind one that clipped 60 % of its windows sparse takes 0.4 to 0.8 of its time:
//                                          dw, AVX-512   AVX2   dx, AVX-512   AVX2
//   150x150, 3 to 32 channels, 3x3, batch 32   22 / 7.5 ms   22 / 9.7   30 / 8.9 ms   35 / 14
//   74x74, 32 to 64, 3x3, batch 32             25 / 7.2      41 / 16    20 / 8.2      39 / 16
//   17x17, 128 to 256, 3x3, batch 32           11 / 3.6      25 / 7.9   11 / 5.6      29 / 8.1
//   125x125, 32 to 64, 5x5, batch 16           89 / 22      204 / 38    61 / 30      121 / 41
//   12x12, 20 to 50, 5x5, batch 64           0.84 / 0.36    2.5 / 0.61  1.0 / 0.55    2.6 / 0.81
//   28x28, 1 to 20, 5x5, batch 64            0.30 / 0.31   0.57 / 0.36
Algorithm choose_pooled_backward(const PooledConv2D& op) {
  const bool allowed = op.conv.algorithm != Algorithm::direct;
  return allowed && pool_sparse_fits(op) ? Algorithm::pool_sparse : Algorithm::direct;
}

}  // namespace

bool pool_sparse_fits(const PooledConv2D& op) {
  const Window2D& pool = op.pool;
  const bool halves = pool.kh == 2 && pool.kw == 2 && pool.sy == 2 && pool.sx == 2 &&
                      pool.top + pool.bottom + pool.left + pool.right == 0;
  return halves && relu_sparse_fits(op.conv);
}

bool relu_sparse_fits(const Conv2D& conv) {
  const Window2D& win = conv.window;
  const bool plain = conv.groups == 1 && win.sy * win.sx * win.dy * win.dx == 1;
  return plain && win.kh <= kMostSparseCells && win.kw <= kMostSparseCells;
}

double relu_sparse_limit(const Conv2D& conv) {
  if (!relu_sparse_fits(conv)) return 0;
  if (conv.algorithm == Algorithm::relu_sparse) return 1;
  if (conv.algorithm != Algorithm::automatic) return 0;
  return choose_backward_weights(conv) == Algorithm::winograd ? 0.3 : 0.5;
}

Algorithm choose_forward(const Conv2D& conv) { return choose(conv, conv.oh(), conv.ow()); }

Algorithm choose_backward_input(const Conv2D& conv) { return choose(conv, conv.x.h, conv.x.w); }

Algorithm choose_backward_weights(const Conv2D& conv) { return choose(conv, conv.oh(), conv.ow()); }

Algorithm choose_relu_backward_weights(const Conv2D& conv, const float* y) {
  const double limit = relu_sparse_limit(conv);
  const bool sparse = limit > 0 && (limit >= 1 || density(conv.y(), y) < limit);
  return sparse ? Algorithm::relu_sparse : choose_backward_weights(conv);
}

Algorithm choose_pooled_forward(const PooledConv2D& op) {
  return winograd_fits(op) ? choose(op.conv, 2 * op.y().h, 2 * op.y().w) : Algorithm::direct;
}

Algorithm choose_pooled_backward_input(const PooledConv2D& op) {
  return choose_pooled_backward(op);
}

Algorithm choose_pooled_backward_weights(const PooledConv2D& op) {
  return choose_pooled_backward(op);
}

}  // namespace minicnn
