#pragma once

#include <cstdint>

#include "core/isa.hpp"
#include "core/philox.hpp"

namespace minicnn {

// Some channels of neighboring rows, their numbers side by side and the rows `stride` floats
// apart.
struct RowBlock {
  std::int64_t rows, stride, channels;
};

// The cells of a pooling window inside the image, `row_stride` floats from row to row: the first
// one's number, and how many numbers a whole row of the window has.
struct PoolCells {
  std::int64_t rows, columns, row_stride, channels;
  std::int32_t first_number, row_numbers;
};

// One product of each channel: factors at offset `x` of what is read and `w` of the weights.
struct Tap {
  std::int64_t x, w;
};

// Pixels that have the same taps; what they read is `x_step` apart, they themselves `y_step`.
struct TapRun {
  std::int64_t pixels, x_step, y_step, channels;
  const Tap* taps;
  std::int64_t tap_count;
};

// Counters of the random words: block 0 of `words`, and what all blocks share.
struct PhiloxBlocks {
  std::uint64_t first;
  std::uint32_t purpose, step;
  PhiloxKey key;
};

// Places between the pixels of an image of three channels: each one's first pixel as an offset in
// the image, and how far it is from there, 0 to 1. `below` is the offset of the next row.
struct Places {
  std::int64_t count, below;
  const std::int32_t* offset;
  const float *down, *across;
};

// Loops that are too slow without the processor's wide vectors, compiled for each instruction set.
// All compute the same bits: no operation is fused, no sum reordered.
struct Loops {
  const char* name;
  Isa needs;

  // Of each pixel and channel: y = bias (null: 0) + the sum of x * w over the taps, in their order.
  void (*multiply_taps)(const TapRun& run, const float* x, const float* w, const float* bias,
                        float* y);

  // Of each tap and channel: dw += the sum of x * dy over the pixels, in their order.
  void (*add_tap_products)(const TapRun& run, const float* x, const float* dy, float* dw);

  // Of each channel: a number near its mean, and the sums of what remains and of its square.
  void (*moments)(const RowBlock& block, const float* x, float* center, float* sum, float* square);

  // Of each channel: the sums of dy and of dy * ((x - mean) * factor).
  void (*gradient_sums)(const RowBlock& block, const float* dy, const float* x, const float* mean,
                        const float* factor, float* sum, float* product);

  // words (blocks, 4); up to 7 blocks more may be written.
  void (*random_words)(const PhiloxBlocks& start, std::int64_t blocks, std::uint32_t* words);

  // y = x * scale where the word's upper 24 bits are not below `threshold`, else 0.
  void (*drop)(const float* x, std::int64_t size, const std::uint32_t* words,
               std::uint32_t threshold, float scale, float* y);

  // The first of the largest, or the first NaN, and its number; both (channels,).
  void (*max_of_cells)(const PoolCells& cells, const float* first, float* y, std::int32_t* argmax);

  // One row of a window's cells, dx (columns, channels), += dy where the cell is the argmax.
  void (*add_winners)(const PoolCells& cells, const float* dy, const std::int32_t* argmax,
                      float* dx);

  // Of each place: y (count, 3) = scale * the weighted mean of its four pixels. One number behind
  // the last of these is read, too.
  void (*mix_pixels)(const Places& places, const std::uint8_t* x, float scale, float* y);
  void (*mix_floats)(const Places& places, const float* x, float scale, float* y);
};

#define LOOPS(isa) extern const Loops loops_##isa;
#include "kernels/loops/loops.inc"
#undef LOOPS

// The fastest ones that may run here.
const Loops& loops();

}  // namespace minicnn
