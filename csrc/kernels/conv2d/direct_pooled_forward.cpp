#include <algorithm>

#include "core/parallel.hpp"
#include "kernels/conv2d/direct_forward.hpp"
#include "kernels/conv2d/direct_pooled.hpp"
#include "kernels/conv2d/pooled_moments.hpp"

// A task computes the convolution's rows under a few rows of y, into memory that stays in cache,
// and takes the maxima from there. Where pooling windows overlap, more rows of y share a task, so
// that little is computed twice.

namespace minicnn {
namespace {

struct PooledRows {
  PooledRows(const PooledConv2D& pooled, const float* x, const float* w, const float* b,
             Carver& carver)
      : op(pooled),
        band(pooled.pool.sy < pooled.pool.kh ? 4 : 1),
        columns(std::min(pooled.conv.ow(),
                         (pooled.y().w - 1) * pooled.pool.sx - pooled.pool.left + pooled.pool.kw)),
        rows(pooled.conv, columns, x, w, b, false, false, carver),
        buffer_size(((band - 1) * pooled.pool.sy + pooled.pool.kh) * columns * pooled.conv.filters),
        buffers(carver.take<float>(max_workers() * buffer_size)),
        moments(pooled, tasks(), pooled.conv.filters, carver) {}

  std::int64_t tasks() const { return op.conv.x.n * ceil_div(op.y().h, band); }

  void run(std::int64_t n, std::int64_t first, std::int64_t last, float* y, std::uint8_t* argmax,
           int worker) const;
  void gather(std::int64_t task, std::int64_t n, std::int64_t first, const float* y) const;

  PooledConv2D op;
  std::int64_t band;     // rows of y that a task takes
  std::int64_t columns;  // of the convolution that the pooling sees
  ForwardRows rows;
  std::int64_t buffer_size;
  float* buffers;  // (workers, convolution rows of a band, columns, filters)
  PooledMoments moments;

 private:
  void pool(const float* cells, std::int64_t first_row, std::int64_t py, float* y,
            std::uint8_t* argmax) const;
};

// Row `py` of one image; `cells` starts with the convolution's row `first_row`.
void PooledRows::pool(const float* cells, std::int64_t first_row, std::int64_t py, float* y,
                      std::uint8_t* argmax) const {
  const std::int64_t filters = op.conv.filters, row_stride = columns * filters;
  op.for_places(py, row_stride, [&](const PoolPlace& at) {
    const float* first = cells + (at.row - first_row) * row_stride + at.column * filters;
    const std::int64_t pixel = at.px * filters;
    conv2d_micro().max_pool(at.windows, first, op.relu, y + pixel, argmax + pixel);
  });
}

void PooledRows::run(std::int64_t n, std::int64_t first, std::int64_t last, float* y,
                     std::uint8_t* argmax, int worker) const {
  const Window2D& win = op.pool;
  const auto [images, ph, pw, filters] = op.y();
  float* cells = buffers + worker * buffer_size;
  const std::int64_t begin = std::max<std::int64_t>(0, first * win.sy - win.top);
  const std::int64_t end = std::min(op.conv.oh(), (last - 1) * win.sy - win.top + win.kh);
  const std::int64_t pieces = forward_pieces(columns);
  for (std::int64_t oy = begin; oy < end; ++oy) {
    for (std::int64_t piece = 0; piece < pieces; ++piece) {
      const std::int64_t ox = columns * piece / pieces, ox_end = columns * (piece + 1) / pieces;
      rows.run(n, oy, ox, ox_end - ox, 0, rows.slices(),
               cells + ((oy - begin) * columns + ox) * filters, worker);
    }
  }
  for (std::int64_t py = first; py < last; ++py) {
    const std::int64_t row = (n * ph + py) * pw * filters;
    pool(cells, begin, py, y + row, argmax + row);
  }
}

// The moments of the band that begins with row `first`.
void PooledRows::gather(std::int64_t task, std::int64_t n, std::int64_t first,
                        const float* y) const {
  const auto [images, ph, pw, filters] = op.y();
  const std::int64_t rows_of_band = std::min(band, ph - first);
  moments.start(task).add(y + (n * ph + first) * pw * filters, rows_of_band * pw, filters);
}

}  // namespace

void direct_pooled_forward(const PooledConv2D& op, const float* x, const float* w, const float* b,
                           float* y, std::uint8_t* argmax, double* moments,
                           char* scratch) noexcept {
  Carver carver(scratch);
  const PooledRows rows(op, x, w, b, carver);
  const std::int64_t ph = op.y().h, bands = ceil_div(ph, rows.band);
  parallel_for(rows.tasks(), [&](std::int64_t task, int worker) {
    const std::int64_t first = task % bands * rows.band;
    rows.run(task / bands, first, std::min(first + rows.band, ph), y, argmax, worker);
    if (rows.moments.wanted()) rows.gather(task, task / bands, first, y);
  });
  rows.moments.finish(moments);
}

std::size_t direct_pooled_forward_scratch(const PooledConv2D& op) {
  Carver counter(nullptr);
  const PooledRows rows(op, nullptr, nullptr, nullptr, counter);
  return counter.bytes();
}

}  // namespace minicnn
