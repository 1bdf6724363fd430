#include <algorithm>

#include "core/parallel.hpp"
#include "kernels/conv2d/direct/forward.hpp"
#include "kernels/conv2d/direct/pooled.hpp"
#include "kernels/conv2d/pooled_moments.hpp"

// A task computes the rows of the convolution under a few rows of y, in memory that stays in cache,
// and takes the maxima from there. If pooling windows overlap, a task takes more rows of y, so that
// few rows are computed twice.

namespace minicnn {
namespace {

struct PooledRows {
  PooledRows(const PooledConv2D& pooled, const float* x, const float* w, const float* b,
             ScratchAllocator& allocator)
      : op(pooled),
        band(pooled.pool.sy < pooled.pool.kh ? 4 : 1),
        columns(std::min(pooled.conv.ow(),
                         (pooled.y().w - 1) * pooled.pool.sx - pooled.pool.left + pooled.pool.kw)),
        rows(pooled.conv, columns, x, w, b, false, false, allocator),
        buffer_size(((band - 1) * pooled.pool.sy + pooled.pool.kh) * columns * pooled.conv.filters),
        buffers(allocator.allocate<float>(max_workers() * buffer_size)),
        moments(pooled, tasks(), pooled.conv.filters, allocator) {}

  std::int64_t tasks() const { return op.conv.x.n * ceil_div(op.y().h, band); }

  void run(std::int64_t n, std::int64_t first, std::int64_t last, float* y, std::uint8_t* argmax,
           int worker) const;
  void gather(std::int64_t task, std::int64_t n, std::int64_t first, const float* y) const;

  PooledConv2D op;
  std::int64_t band;     // rows of y per task
  std::int64_t columns;  // of the convolution's output that the pooling reads
  ForwardRows rows;
  std::int64_t buffer_size;
  float* buffers;  // (workers, convolution rows of a band, columns, filters)
  PooledMoments moments;

 private:
  void pool(const float* cells, std::int64_t first_row, std::int64_t py, float* y,
            std::uint8_t* argmax) const;
};

// Computes row `py` of one image; `cells` begins with row `first_row` of the convolution's output.
void PooledRows::pool(const float* cells, std::int64_t first_row, std::int64_t py, float* y,
                      std::uint8_t* argmax) const {
  const std::int64_t filters = op.conv.filters, row_stride = columns * filters;
  op.for_window_groups(py, row_stride, [&](const WindowGroup& at) {
    const float* first = cells + (at.row - first_row) * row_stride + at.column * filters;
    const std::int64_t pixel = at.px * filters;
    simd_loops().max_pool(at.windows, first, op.relu, y + pixel, argmax + pixel);
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

// Adds the band of y that begins with row `first` to the moments of its task.
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
  ScratchAllocator allocator(scratch);
  const PooledRows rows(op, x, w, b, allocator);
  const std::int64_t ph = op.y().h, bands = ceil_div(ph, rows.band);
  parallel_for(rows.tasks(), [&](std::int64_t task, int worker) {
    const std::int64_t first = task % bands * rows.band;
    rows.run(task / bands, first, std::min(first + rows.band, ph), y, argmax, worker);
    if (rows.moments.needed()) rows.gather(task, task / bands, first, y);
  });
  rows.moments.finish(moments);
}

std::size_t direct_pooled_forward_scratch(const PooledConv2D& op) {
  ScratchAllocator counter(nullptr);
  const PooledRows rows(op, nullptr, nullptr, nullptr, counter);
  return counter.bytes();
}

}  // namespace minicnn
