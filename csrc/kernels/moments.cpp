#include "kernels/moments.hpp"

#include <algorithm>

namespace minicnn {
namespace {

constexpr std::int64_t kGroup = 64;       // channels at a time: their sums stay in the L1 cache
constexpr std::int64_t kFloatRows = 128;  // summed in float32, in four partial sums

// Chan, Golub, LeVeque: the pairwise algorithm for the sample variance, 1979.
void merge_channels(double count, double* mean, double* square, double more_count,
                    const double* more_mean, const double* more_square, std::int64_t channels) {
  const double all = count + more_count, part = more_count / all, weight = count * part;
  for (std::int64_t i = 0; i < channels; ++i) {
    const double distance = more_mean[i] - mean[i];
    mean[i] += distance * part;
    square[i] += more_square[i] + distance * distance * weight;
  }
}

}  // namespace

void Moments::clear() { std::fill_n(count_, size(channels_), 0.0); }

void Moments::add(const float* x, std::int64_t rows, std::int64_t stride) {
  float center[kGroup], sum[kGroup], square[kGroup];
  double more_mean[kGroup], more_square[kGroup];
  for (std::int64_t first = 0; first < channels_; first += kGroup) {
    const std::int64_t channels = std::min(kGroup, channels_ - first);
    for (std::int64_t row = 0; row < rows; row += kFloatRows) {
      const std::int64_t block_rows = std::min(kFloatRows, rows - row);
      simd_loops().moments({block_rows, stride, channels}, x + row * stride + first, center, sum,
                           square);
      for (std::int64_t i = 0; i < channels; ++i) {
        const double rest = double(sum[i]) / double(block_rows);
        more_mean[i] = double(center[i]) + rest;
        more_square[i] = double(square[i]) - rest * double(sum[i]);
      }
      merge_channels(*count_ + double(row), mean_ + first, square_ + first, double(block_rows),
                     more_mean, more_square, channels);
    }
  }
  *count_ += double(rows);
}

void Moments::merge(const Moments& more) {
  if (*more.count_ == 0) return;
  merge_channels(*count_, mean_, square_, *more.count_, more.mean_, more.square_, channels_);
  *count_ += *more.count_;
}

void Moments::mean_and_variance(double* mean, double* variance) const {
  std::copy_n(mean_, channels_, mean);
  const double count = std::max(*count_, 1.0);
  for (std::int64_t i = 0; i < channels_; ++i) variance[i] = square_[i] / count;
}

}  // namespace minicnn
