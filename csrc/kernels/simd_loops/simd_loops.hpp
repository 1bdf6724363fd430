#pragma once

#include <cstdint>

#include "core/isa.hpp"
#include "core/philox.hpp"

namespace minicnn {

// Some channels of neighboring rows. The channels are contiguous, the rows `stride` floats apart.
struct RowBlock {
  std::int64_t rows, stride, channels;
};

// The cells of one pooling window that lie inside the image; rows are `row_stride` floats apart.
// `first_cell` is the index of the first of them in the whole window, which has `cells_per_row`
// cells in a row.
struct PoolCells {
  std::int64_t rows, columns, row_stride, channels;
  std::int32_t first_cell, cells_per_row;
};

// Pooling windows side by side, `step` floats apart, with the same cells inside the image; the
// fields of a window are those of PoolCells.
struct PoolWindows {
  std::int64_t count, step;
  std::int64_t rows, columns, row_stride, channels;
  int first_cell, cells_per_row;
};

// The argmax of a window whose gradient a ReLU clips: no cell of a window has this index.
constexpr int kNoArgmax = 255;

// One product per channel: the factors are at offset `x` of the array that is read and at offset
// `w` of the weights.
struct Tap {
  std::int64_t x, w;
};

// Neighboring pixels that have the same taps. What they read is `x_step` floats apart; the pixels
// themselves are `y_step` floats apart.
struct TapSpan {
  std::int64_t pixels, x_step, y_step, channels;
  const Tap* taps;
  std::int64_t tap_count;
};

// The Philox counter of the first block of random words, and what all blocks share.
struct PhiloxBlocks {
  std::uint64_t first;
  std::uint32_t purpose, step;
  PhiloxKey key;
};

// Points between the pixels of an image with three channels. `offset` is the offset of the pixel
// above and to the left, `down` and `across` the distance from it, in [0, 1]; the pixel below it is
// `below` floats further on.
struct SamplePoints {
  std::int64_t count, below;
  const std::int32_t* offset;
  const float *down, *across;
};

// Loops that are too slow without the processor's wide vectors, compiled for each instruction set.
// All instruction sets compute the same bits: no operation is fused, no sum is reordered.
struct SimdLoops {
  const char* name;
  Isa needs;

  // For each pixel and channel: y = bias (null: 0) + the sum of x * w over the taps, in their
  // order.
  void (*multiply_taps)(const TapSpan& span, const float* x, const float* w, const float* bias,
                        float* y);

  // For each tap and channel: dw += the sum of x * dy over the pixels, in their order.
  void (*add_tap_products)(const TapSpan& span, const float* x, const float* dy, float* dw);

  // For each channel: a center near the mean, and the sums of x - center and of its square.
  void (*moments)(const RowBlock& block, const float* x, float* center, float* sum, float* square);

  // For each channel: the sums of dy and of dy * ((x - mean) * factor).
  void (*gradient_sums)(const RowBlock& block, const float* dy, const float* x, const float* mean,
                        const float* factor, float* sum, float* product);

  // words (blocks, 4); up to 7 blocks more may be written.
  void (*random_words)(const PhiloxBlocks& start, std::int64_t blocks, std::uint32_t* words);

  // y = x * scale where the upper 24 bits of the word are not below `threshold`, else 0.
  void (*drop)(const float* x, std::int64_t size, const std::uint32_t* words,
               std::uint32_t threshold, float scale, float* y);

  // The maximum of the cells and its index in the window, both (channels,): the first of equal
  // values, or the first NaN.
  void (*max_of_cells)(const PoolCells& cells, const float* first, float* y, std::int32_t* argmax);

  // dx (columns, channels), one row of a window's cells, += dy where the cell is the argmax.
  void (*add_at_argmax)(const PoolCells& cells, const float* dy, const std::int32_t* argmax,
                        float* dx);

  // y and argmax (count, channels) of windows whose first cell is at `first`. With `relu`, it is
  // applied to each cell, and the argmax is kNoArgmax where no cell is > 0.
  void (*max_pool)(const PoolWindows& windows, const float* first, bool relu, float* y,
                   std::uint8_t* argmax);

  // Writes all cells of windows that do not overlap: dy where the cell is the argmax, else 0. dy
  // and argmax are (count, channels).
  void (*unpool)(const PoolWindows& windows, const float* dy, const std::uint8_t* argmax,
                 float* first);

  // y (count, 3) = scale * the bilinear mean of the four pixels around each point. One value after
  // the last of these pixels is read, too.
  void (*mix_pixels)(const SamplePoints& points, const std::uint8_t* x, float scale, float* y);
  void (*mix_floats)(const SamplePoints& points, const float* x, float scale, float* y);
};

#define SIMD_LOOPS(isa) extern const SimdLoops simd_loops_##isa;
#include "kernels/simd_loops/simd_loops.inc"
#undef SIMD_LOOPS

// Returns the fastest loops that may run on this machine.
const SimdLoops& simd_loops();

}  // namespace minicnn
