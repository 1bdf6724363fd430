#pragma once

#include "kernels/conv2d/geometry.hpp"
#include "kernels/conv2d/pooled_conv2d.hpp"

namespace minicnn {

// Selects the algorithm of each pass of a convolution: the only place that decides. All algorithms
// compute the same sums; they differ in the order of additions, and so in the last bits.
//
//   direct       every product of the formula; any shape
//   depthwise    the same if every filter reads a single channel: vectors run over filters, since
//                tiles would be filled in one row only
//   one_filter   the same if there is a single filter: vectors run over channels (forward and the
//                gradient of the weights)
//   winograd     kernels of 3 x 3 and 5 x 5 in tiles of 4 x 4 outputs, with a quarter of the
//                products or less; if there are enough channels and filters
//   pool_sparse  gradients after a 2 x 2 max pooling: only the products at the argmax of each
//                window
//   relu_sparse  the gradient of the weights after a ReLU without a pooling: only the products of
//                the outputs that the ReLU did not clip, if these are few
//
// A choice depends on the shapes, on the instruction set and, for relu_sparse, on how many outputs
// are zero; never on the number of threads or on measured times. So the same network gives the same
// bits every time. A single image may be computed by another algorithm than an image in a large
// batch, and then differs in the last bits.

Algorithm select_forward(const Conv2D& conv);
Algorithm select_backward_input(const Conv2D& conv);
// `gradient_support` (N, OH, OW, filters) is 0 where the gradient counts as 0: dy itself, or the
// output of the ReLU after the convolution.
Algorithm select_backward_weights(const Conv2D& conv, const float* gradient_support);
// The same for a gradient without zeros, from the shapes alone.
Algorithm select_backward_weights(const Conv2D& conv);

Algorithm select_pooled_forward(const PooledConv2D& op);
Algorithm select_pooled_backward_input(const PooledConv2D& op);
Algorithm select_pooled_backward_weights(const PooledConv2D& op);

// Returns whether pool_sparse can compute the gradients: a pooling of 2 x 2 windows, side by side
// and without padding, after a convolution that relu_sparse_fits.
bool pool_sparse_fits(const PooledConv2D& op);

// Returns whether relu_sparse can compute the gradient: a convolution without groups, strides and
// dilation, with a kernel of at most 7 x 7.
bool relu_sparse_fits(const Conv2D& conv);
// Returns the fraction of non-zero outputs below which relu_sparse is selected, from the shapes and
// the instruction set alone: 0 for never, 1 for always.
double relu_sparse_limit(const Conv2D& conv);

}  // namespace minicnn
