#include "kernels/conv2d/chooser.hpp"

namespace minicnn {

Algorithm choose_forward(const Conv2D&) { return Algorithm::direct; }
Algorithm choose_backward_input(const Conv2D&) { return Algorithm::direct; }
Algorithm choose_backward_weights(const Conv2D&) { return Algorithm::direct; }

Algorithm choose_pooled_forward(const PooledConv2D& op) { return choose_forward(op.conv); }
Algorithm choose_pooled_backward_input(const PooledConv2D&) { return Algorithm::direct; }
Algorithm choose_pooled_backward_weights(const PooledConv2D&) { return Algorithm::direct; }

}  // namespace minicnn
