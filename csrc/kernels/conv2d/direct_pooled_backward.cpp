#include <algorithm>

#include "core/parallel.hpp"
#include "kernels/conv2d/carver.hpp"
#include "kernels/conv2d/column_sums.hpp"
#include "kernels/conv2d/direct_backward_input.hpp"
#include "kernels/conv2d/direct_backward_weights.hpp"
#include "kernels/conv2d/direct_pooled.hpp"

// Each number of dy goes to its window's winner, in a gradient of the convolution's whole output
// that is zero elsewhere; then the convolution's own gradients follow.

namespace minicnn {
namespace {

// What the convolution's gradients need: `through` is dy where the activation let it through, and
// dz, with the convolution's shape, has it at the winners.
class Unpooled {
 public:
  Unpooled(const PooledConv2D& op, Carver& carver)
      : op_(op),
        through_(carver.take<float>(op.relu ? op.y().size() : 0)),
        dz_(carver.take<float>(op.conv.y().size())) {}

  void run(const float* dy, const float* y, const std::uint8_t* winner);
  const float* through() const { return seen_; }
  const float* dz() const { return dz_; }

 private:
  void unpool_image(const float* g, const std::uint8_t* winner, float* dz) const;
  void scatter_image(const float* g, const std::uint8_t* winner, float* dz) const;

  PooledConv2D op_;
  float *through_, *dz_;
  const float* seen_ = nullptr;
};

// Windows that do not overlap: each writes all of its cells.
void Unpooled::unpool_image(const float* g, const std::uint8_t* winner, float* dz) const {
  const std::int64_t filters = op_.conv.filters, row_stride = op_.conv.ow() * filters;
  const std::int64_t ph = op_.y().h, pooled_row = op_.y().w * filters;
  for (std::int64_t py = 0; py < ph; ++py, g += pooled_row, winner += pooled_row) {
    op_.for_places(py, row_stride, [&](const PoolPlace& at) {
      const std::int64_t pixel = at.px * filters;
      float* first = dz + at.row * row_stride + at.column * filters;
      conv2d_micro().unpool(at.windows, g + pixel, winner + pixel, first);
    });
  }
}

// Any windows: several may add to one cell. A winner outside the image has no cell.
void Unpooled::scatter_image(const float* g, const std::uint8_t* winner, float* dz) const {
  const Window2D& pool = op_.pool;
  const std::int64_t oh = op_.conv.oh(), ow = op_.conv.ow();
  const auto [n, ph, pw, filters] = op_.y();
  for (std::int64_t i = 0; i < op_.y().image(); ++i) {
    const std::int64_t pixel = i / filters;
    const std::int64_t y = pixel / pw * pool.sy - pool.top + winner[i] / pool.kw;
    const std::int64_t x = pixel % pw * pool.sx - pool.left + winner[i] % pool.kw;
    if (y < 0 || y >= oh || x < 0 || x >= ow) continue;
    dz[(y * ow + x) * filters + i % filters] += g[i];
  }
}

void Unpooled::run(const float* dy, const float* y, const std::uint8_t* winner) {
  const bool overlap = op_.pool.sy < op_.pool.kh || op_.pool.sx < op_.pool.kw;
  const std::int64_t size = op_.y().image(), dz_size = op_.conv.y().image();
  seen_ = op_.relu ? through_ : dy;
  parallel_for(op_.conv.x.n, [&](std::int64_t n, int) {
    float* dz = dz_ + n * dz_size;
    std::fill_n(dz, dz_size, 0.0F);
    for (std::int64_t i = n * size; op_.relu && i < (n + 1) * size; ++i) {
      through_[i] = y[i] > 0 ? dy[i] : 0.0F;
    }
    const float* g = seen_ + n * size;
    if (overlap) {
      scatter_image(g, winner + n * size, dz);
    } else {
      unpool_image(g, winner + n * size, dz);
    }
  });
}

}  // namespace

void direct_pooled_backward_input(const PooledConv2D& op, const float* dy, const float* y,
                                  const std::uint8_t* winner, const float* w, float* dx,
                                  char* scratch) noexcept {
  Carver carver(scratch);
  Unpooled unpooled(op, carver);
  unpooled.run(dy, y, winner);
  direct_backward_input(op.conv, unpooled.dz(), w, dx, scratch + carver.bytes());
}

std::size_t direct_pooled_backward_input_scratch(const PooledConv2D& op) {
  Carver counter(nullptr);
  const Unpooled unpooled(op, counter);
  return counter.bytes() + direct_backward_input_scratch(op.conv);
}

void direct_pooled_backward_weights(const PooledConv2D& op, const float* dy, const float* y,
                                    const std::uint8_t* winner, const float* x, float* dw,
                                    float* db, char* scratch) noexcept {
  Carver carver(scratch);
  Unpooled unpooled(op, carver);
  unpooled.run(dy, y, winner);
  char* rest = scratch + carver.bytes();
  direct_backward_weights(op.conv, unpooled.dz(), nullptr, x, dw, nullptr, rest);
  if (db == nullptr) return;
  const std::int64_t filters = op.conv.filters;
  column_sums(unpooled.through(), op.y().size() / filters, filters, db, rest);
}

std::size_t direct_pooled_backward_weights_scratch(const PooledConv2D& op) {
  Carver counter(nullptr);
  const Unpooled unpooled(op, counter);
  // y can have more pixels than the convolution, where padded windows overlap.
  const std::size_t bias = column_sums_scratch(op.y().size() / op.y().c, op.y().c);
  return counter.bytes() + std::max(bias, direct_backward_weights_scratch(op.conv, false));
}

}  // namespace minicnn
