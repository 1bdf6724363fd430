#include "kernels/conv2d/chooser.hpp"

#include "kernels/conv2d/sparse_micro.hpp"
#include "kernels/conv2d/winograd.hpp"

namespace minicnn {

Algorithm choose_forward(const Conv2D& conv) {
  return conv.algorithm != Algorithm::direct && conv.x.c >= 16 && winograd_fits(conv) ? Algorithm::winograd
                                                                      : Algorithm::direct;
}
Algorithm choose_backward_input(const Conv2D& conv) { return choose_forward(conv); }
Algorithm choose_backward_weights(const Conv2D& conv) { return choose_forward(conv); }

bool pool_sparse_fits(const PooledConv2D& op) {
  const Window2D &win = op.conv.window, &pool = op.pool;
  const bool halves = pool.kh == 2 && pool.kw == 2 && pool.sy == 2 && pool.sx == 2 &&
                      pool.top + pool.bottom + pool.left + pool.right == 0;
  const bool plain = op.conv.groups == 1 && win.sy * win.sx * win.dy * win.dx == 1;
  return halves && plain && win.kh <= kMostSparseCells && win.kw <= kMostSparseCells;
}

Algorithm choose_pooled_backward_input(const PooledConv2D& op) {
  if (!pool_sparse_fits(op)) return Algorithm::direct;
  return op.conv.algorithm != Algorithm::direct ? Algorithm::pool_sparse : Algorithm::direct;
}

Algorithm choose_pooled_backward_weights(const PooledConv2D& op) {
  if (!pool_sparse_fits(op)) return Algorithm::direct;
  return op.conv.algorithm != Algorithm::direct ? Algorithm::pool_sparse : Algorithm::direct;
}
Algorithm choose_pooled_forward(const PooledConv2D& op) {
  return op.conv.algorithm != Algorithm::direct && op.conv.x.c >= 16 && winograd_fits(op) ? Algorithm::winograd
                                                                       : Algorithm::direct;
}

}  // namespace minicnn
