#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/conv2d/geometry.hpp"
#include "kernels/conv2d/sparse_micro.hpp"

namespace minicnn {

// Neighboring channels that a sparse sum takes at once. Their pixels lie `pitch` floats apart, so
// a kernel row is `columns` floats side by side, kept in `row` floats, whole vectors.
struct ChannelBlock {
  std::int64_t first, channels, pitch, columns, row;

  // True if the pixels of an image of `c` channels already lie like this.
  bool is_all_of(std::int64_t c) const { return channels == c && pitch == c; }
};

// A filter's patch of weights, or of their gradient, as sparse sums want it: (blocks, KH, row).
class Patches {
 public:
  Patches(const Conv2D& conv, const SparseMicro& micro)
      : kh_(conv.window.kh), kw_(conv.window.kw), channels_(conv.ci()), lanes_(micro.lanes) {
    std::int64_t vectors = 1;
    while (vectors < 4 && kw_ * vectors * 2 <= kMaxSparseCells &&
           kh_ * kw_ * vectors * 2 <= micro.sums) {
      vectors *= 2;
    }
    wide_ = vectors * lanes_;
  }

  // Wide blocks, one of a vector for each whole vector that is left, and one of the rest.
  std::int64_t blocks() const {
    const std::int64_t left = channels_ % wide_;
    return channels_ / wide_ + left / lanes_ + (left % lanes_ > 0);
  }
  ChannelBlock block(std::int64_t i) const;
  std::int64_t widest_pitch() const { return block(0).pitch; }
  std::int64_t block_size() const { return kh_ * block(0).row; }  // enough for every block
  std::int64_t size() const { return blocks() * block_size(); }

 private:
  std::int64_t kh_, kw_, channels_, lanes_, wide_;
};

inline ChannelBlock Patches::block(std::int64_t i) const {
  const std::int64_t wide_blocks = channels_ / wide_;
  const std::int64_t first =
      std::min(i, wide_blocks) * wide_ + std::max<std::int64_t>(0, i - wide_blocks) * lanes_;
  const std::int64_t channels = std::min(channels_ - first, i < wide_blocks ? wide_ : lanes_);
  // Few channels need fewer vectors side by side than with a vector for each pixel.
  const bool pack = channels < lanes_ && ceil_div(kw_ * channels, lanes_) < kw_;
  const std::int64_t pitch = pack ? channels : ceil_div(channels, lanes_) * lanes_;
  return {first, channels, pitch, kw_ * pitch, ceil_div(kw_ * pitch, lanes_) * lanes_};
}

}  // namespace minicnn
