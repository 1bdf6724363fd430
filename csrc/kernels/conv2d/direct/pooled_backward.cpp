#include <algorithm>

#include "core/parallel.hpp"
#include "core/scratch.hpp"
#include "kernels/conv2d/direct/backward_input.hpp"
#include "kernels/conv2d/direct/backward_weights.hpp"
#include "kernels/conv2d/direct/pooled.hpp"

// Each value of dy is written to the argmax of its window, in a gradient of the convolution's whole
// output that is zero elsewhere. Then the gradients of the convolution itself follow.

namespace minicnn {
namespace {

// dz, the gradient of the convolution's output: dy at the argmax of each window, 0 elsewhere.
class Unpooled {
 public:
  Unpooled(const PooledConv2D& op, ScratchAllocator& allocator)
      : op_(op), dz_(allocator.allocate<float>(op.conv.y().size())) {}

  void run(const float* dy, const std::uint8_t* argmax) const;
  const float* dz() const { return dz_; }

 private:
  void unpool_image(const float* dy, const std::uint8_t* argmax, float* dz) const;
  void scatter_image(const float* dy, const std::uint8_t* argmax, float* dz) const;

  PooledConv2D op_;
  float* dz_;
};

// For windows that do not overlap: each window writes all of its cells.
void Unpooled::unpool_image(const float* dy, const std::uint8_t* argmax, float* dz) const {
  const std::int64_t filters = op_.conv.filters, row_stride = op_.conv.ow() * filters;
  const std::int64_t ph = op_.y().h, pooled_row = op_.y().w * filters;
  for (std::int64_t py = 0; py < ph; ++py, dy += pooled_row, argmax += pooled_row) {
    op_.for_window_groups(py, row_stride, [&](const WindowGroup& at) {
      const std::int64_t pixel = at.px * filters;
      float* first = dz + at.row * row_stride + at.column * filters;
      simd_loops().unpool(at.windows, dy + pixel, argmax + pixel, first);
    });
  }
}

// For any windows: several may add to the same cell. An argmax outside the window or the image is
// ignored.
void Unpooled::scatter_image(const float* dy, const std::uint8_t* argmax, float* dz) const {
  const Window2D& pool = op_.pool;
  const std::int64_t oh = op_.conv.oh(), ow = op_.conv.ow();
  const auto [n, ph, pw, filters] = op_.y();
  for (std::int64_t i = 0; i < op_.y().image(); ++i) {
    if (argmax[i] >= pool.kh * pool.kw) continue;
    const std::int64_t pixel = i / filters;
    const std::int64_t y = pixel / pw * pool.sy - pool.top + argmax[i] / pool.kw;
    const std::int64_t x = pixel % pw * pool.sx - pool.left + argmax[i] % pool.kw;
    if (y < 0 || y >= oh || x < 0 || x >= ow) continue;
    dz[(y * ow + x) * filters + i % filters] += dy[i];
  }
}

void Unpooled::run(const float* dy, const std::uint8_t* argmax) const {
  const bool overlap = op_.pool.sy < op_.pool.kh || op_.pool.sx < op_.pool.kw;
  const std::int64_t size = op_.y().image(), dz_size = op_.conv.y().image();
  parallel_for(op_.conv.x.n, [&](std::int64_t n, int) {
    float* dz = dz_ + n * dz_size;
    std::fill_n(dz, dz_size, 0.0F);
    if (overlap) {
      scatter_image(dy + n * size, argmax + n * size, dz);
    } else {
      unpool_image(dy + n * size, argmax + n * size, dz);
    }
  });
}

}  // namespace

void direct_pooled_backward_input(const PooledConv2D& op, const float* dy,
                                  const std::uint8_t* argmax, const float* w, float* dx,
                                  char* scratch) noexcept {
  ScratchAllocator allocator(scratch);
  const Unpooled unpooled(op, allocator);
  unpooled.run(dy, argmax);
  direct_backward_input(op.conv, unpooled.dz(), w, dx, scratch + allocator.bytes());
}

std::size_t direct_pooled_backward_input_scratch(const PooledConv2D& op) {
  ScratchAllocator counter(nullptr);
  const Unpooled unpooled(op, counter);
  return counter.bytes() + direct_backward_input_scratch(op.conv);
}

void direct_pooled_backward_weights(const PooledConv2D& op, const float* dy,
                                    const std::uint8_t* argmax, const float* x, float* dw,
                                    float* db, char* scratch) noexcept {
  ScratchAllocator allocator(scratch);
  const Unpooled unpooled(op, allocator);
  unpooled.run(dy, argmax);
  direct_backward_weights(op.conv, unpooled.dz(), nullptr, x, dw, db, scratch + allocator.bytes());
}

std::size_t direct_pooled_backward_weights_scratch(const PooledConv2D& op) {
  ScratchAllocator counter(nullptr);
  const Unpooled unpooled(op, counter);
  return counter.bytes() + direct_backward_weights_scratch(op.conv, false);
}

}  // namespace minicnn
