#pragma once

#include "kernels/conv2d/geometry.hpp"
#include "kernels/conv2d/pooled.hpp"

namespace minicnn {

// Which algorithm computes which pass of a convolution, and why: the one place that decides. All of
// them compute the same sums; they differ in the order of additions, so in the last bits.
//
//   direct       every product, as the formula says; any shape
//   depthwise    the same where each filter sees one channel: vectors over filters, not tiles, of
//                which these would fill one row
//   winograd     3 x 3 and 5 x 5 kernels by tiles of 4 x 4 outputs, with a quarter and less of the
//                products; for enough channels and filters
//   pool_sparse  gradients behind a 2x2 max pool: the products of the windows' winners only
//   relu_sparse  the weights' gradient behind a ReLU alone: the products of the outputs that the
//                ReLU let through, where these are few
//
// A choice depends on the shapes, on the instruction set and, for relu_sparse, on how many outputs
// are zero, never on the number of threads or on a time measured in this run: the same network
// gives the same bits every time. An image alone may be computed by another algorithm than one
// among many, and differ in the last bits.

Algorithm choose_forward(const Conv2D& conv);
Algorithm choose_backward_input(const Conv2D& conv);
// `counted` (N, OH, OW, filters) is 0 where the gradient has no terms: dy itself, or the output of
// the ReLU behind the convolution.
Algorithm choose_backward_weights(const Conv2D& conv, const float* counted);
// The same for a gradient without zeros, from the shapes alone.
Algorithm choose_backward_weights(const Conv2D& conv);

Algorithm choose_pooled_forward(const PooledConv2D& op);
Algorithm choose_pooled_backward_input(const PooledConv2D& op);
Algorithm choose_pooled_backward_weights(const PooledConv2D& op);

// What pool_sparse can compute: a pool of halves behind a plain convolution of at most 7 x 7 cells.
bool pool_sparse_fits(const PooledConv2D& op);

// What relu_sparse can compute: a plain convolution likewise.
bool relu_sparse_fits(const Conv2D& conv);
// Below which share of outputs that are not 0 relu_sparse is chosen, from the shapes and the
// instruction set alone; 0: never, 1: always.
double relu_sparse_limit(const Conv2D& conv);

}  // namespace minicnn
