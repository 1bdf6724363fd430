#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/conv2d/geometry.hpp"
#include "kernels/conv2d/sparse/micro.hpp"

namespace minicnn {

// Neighboring channels that a sparse sum takes at once. Their pixels are `pitch` floats apart, so a
// kernel row is `columns` contiguous floats, stored in `row` floats, a whole number of vectors.
struct ChannelBlock {
  std::int64_t first, channels, pitch, columns, row;

  // Returns whether the pixels of an image with `c` channels already have this layout.
  bool is_all_of(std::int64_t c) const { return channels == c && pitch == c; }
};

// The layout of a filter's weights, or of their gradient, for sparse sums: (blocks, KH, row).
class Patches {
 public:
  Patches(const Conv2D& conv, const SparseMicroKernel& micro)
      : kh_(conv.window.kh), kw_(conv.window.kw), channels_(conv.ci()), lanes_(micro.lanes) {
    std::int64_t vectors = 1;
    while (vectors < 4 && kw_ * vectors * 2 <= kMaxSparseCells &&
           kh_ * kw_ * vectors * 2 <= micro.sums) {
      vectors *= 2;
    }
    wide_ = vectors * lanes_;
  }

  // First wide blocks, then blocks of one vector, then one block for the remaining channels.
  std::int64_t blocks() const {
    const std::int64_t left = channels_ % wide_;
    return channels_ / wide_ + left / lanes_ + (left % lanes_ > 0);
  }
  ChannelBlock block(std::int64_t i) const;
  std::int64_t widest_pitch() const { return block(0).pitch; }
  std::int64_t block_size() const { return kh_ * block(0).row; }  // of the largest block
  std::int64_t size() const { return blocks() * block_size(); }

 private:
  std::int64_t kh_, kw_, channels_, lanes_, wide_;
};

inline ChannelBlock Patches::block(std::int64_t i) const {
  const std::int64_t wide_blocks = channels_ / wide_;
  const std::int64_t first =
      std::min(i, wide_blocks) * wide_ + std::max<std::int64_t>(0, i - wide_blocks) * lanes_;
  const std::int64_t channels = std::min(channels_ - first, i < wide_blocks ? wide_ : lanes_);
  // If there are few channels, packing their pixels takes fewer vectors than one vector per pixel.
  const bool pack = channels < lanes_ && ceil_div(kw_ * channels, lanes_) < kw_;
  const std::int64_t pitch = pack ? channels : ceil_div(channels, lanes_) * lanes_;
  return {first, channels, pitch, kw_ * pitch, ceil_div(kw_ * pitch, lanes_) * lanes_};
}

}  // namespace minicnn
