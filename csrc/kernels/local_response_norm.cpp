#include "kernels/local_response_norm.hpp"

#include <algorithm>
#include <cmath>

#include "core/blocks.hpp"

namespace minicnn {
namespace {

constexpr std::int64_t kPowerCost = 8;  // the cost of one power, in floats read

// Returns the sum of terms[i - before .. i + after] over the channels that exist.
double neighbors(const double* terms, std::int64_t i, std::int64_t c, std::int64_t before,
                 std::int64_t after) {
  const std::int64_t begin = std::max<std::int64_t>(0, i - before);
  const std::int64_t end = std::min(c, i + after + 1);
  double sum = 0.0;
  for (std::int64_t j = begin; j < end; ++j) sum += terms[j];
  return sum;
}

// Returns scale^-beta. For beta = 0.75, which networks use, square roots are several times faster
// than a power.
float damping(float scale, double beta) {
  if (beta == 0.75) {
    const float root = std::sqrt(scale);
    return 1.0F / (root * std::sqrt(root));
  }
  return std::pow(scale, float(-beta));
}

}  // namespace

std::size_t local_response_norm_scratch(std::int64_t c) {
  return std::size_t(max_workers()) * std::size_t(c) * sizeof(double);
}

void local_response_norm_forward(const float* x, std::int64_t rows, std::int64_t c,
                                 const LocalResponseNorm& norm, float* y, float* scale,
                                 char* scratch) noexcept {
  const double share = norm.alpha / double(norm.size);
  parallel_rows(rows, c * kPowerCost, [&](std::int64_t row, int worker) {
    double* squares = reinterpret_cast<double*>(scratch) + worker * c;
    const std::int64_t begin = row * c;
    for (std::int64_t i = 0; i < c; ++i) squares[i] = double(x[begin + i]) * double(x[begin + i]);
    for (std::int64_t i = 0; i < c; ++i) {
      const double sum = neighbors(squares, i, c, norm.before(), norm.after());
      scale[begin + i] = float(norm.k + share * sum);
      y[begin + i] = x[begin + i] * damping(scale[begin + i], norm.beta);
    }
  });
}

void local_response_norm_backward(const float* dy, const LocalResponseNormSaved& saved,
                                  std::int64_t rows, std::int64_t c, const LocalResponseNorm& norm,
                                  float* dx, char* scratch) noexcept {
  const double factor = 2.0 * norm.alpha * norm.beta / double(norm.size);
  parallel_rows(rows, c * kPowerCost, [&](std::int64_t row, int worker) {
    double* ratios = reinterpret_cast<double*>(scratch) + worker * c;
    const std::int64_t begin = row * c;
    for (std::int64_t i = 0; i < c; ++i) {
      const std::int64_t j = begin + i;
      ratios[i] = double(dy[j]) * double(saved.y[j]) / double(saved.scale[j]);
    }
    for (std::int64_t i = 0; i < c; ++i) {
      const std::int64_t j = begin + i;
      // The channels that have i as a neighbor are the mirror image of i's neighbors.
      const double sum = neighbors(ratios, i, c, norm.after(), norm.before());
      const double direct = double(dy[j]) * double(damping(saved.scale[j], norm.beta));
      dx[j] = float(direct - factor * double(saved.x[j]) * sum);
    }
  });
}

}  // namespace minicnn
