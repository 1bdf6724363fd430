#include "kernels/group_norm.hpp"

#include <algorithm>
#include <cmath>

#include "core/blocks.hpp"
#include "core/scratch.hpp"

namespace minicnn {
namespace {

constexpr std::int64_t kLanes = 8;  // partial sums of one long sum

// The rows whose gradients of gamma and beta are added up by one task: at most 64 tasks, and so few
// that their sums, 2 doubles a channel, take no more than 16 MB.
std::int64_t rows_of_task(const GroupNormShape& shape) {
  constexpr std::int64_t most_tasks = 64, most_channels = std::int64_t{1} << 20;
  const std::int64_t tasks =
      std::clamp<std::int64_t>(most_channels / shape.channels(), 1, most_tasks);
  const std::int64_t enough_work = kBlockFloats / std::max<std::int64_t>(1, shape.row());
  return std::max({ceil_div(shape.rows, tasks), enough_work, std::int64_t{1}});
}

// Returns the sum of term(i) for i in [0, count), in a fixed order that vectorizes.
template <class Term>
double sum_of(std::int64_t count, Term term) {
  double lanes[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::int64_t j = 0; j < kLanes; ++j) lanes[j] += term(i + j);
  }
  double sum = 0.0;
  for (; i < count; ++i) sum += term(i);
  for (const double lane : lanes) sum += lane;
  return sum;
}

double inverse_of(double sum_of_squares, double count, const GroupNorm& norm) {
  if (norm.statistic == GroupStatistic::norm) {
    return 1.0 / std::max(std::sqrt(sum_of_squares), norm.epsilon);
  }
  return 1.0 / std::sqrt(sum_of_squares / count + norm.epsilon);
}

// The arrays of one worker, one value per channel: sums, and the statistics of a row's groups
// spread over their channels.
struct Worker {
  double *first, *second;
  float *mean, *inverse_std, *slope, *offset;

  Worker(ScratchAllocator& memory, std::int64_t channels)
      : first(memory.allocate<double>(channels)),
        second(memory.allocate<double>(channels)),
        mean(memory.allocate<float>(channels)),
        inverse_std(memory.allocate<float>(channels)),
        slope(memory.allocate<float>(channels)),
        offset(memory.allocate<float>(channels)) {}
};

std::size_t worker_bytes(std::int64_t channels) {
  ScratchAllocator counter(nullptr);
  Worker(counter, channels);
  return counter.bytes();
}

Worker worker_of(char* scratch, std::int64_t channels, int worker) {
  ScratchAllocator memory(scratch + std::size_t(worker) * worker_bytes(channels));
  return {memory, channels};
}

void spread(const float* of_groups, const GroupNormShape& shape, float* of_channels) {
  for (std::int64_t g = 0; g < shape.groups; ++g) {
    std::fill_n(of_channels + g * shape.size, shape.size, of_groups[g]);
  }
}

// --- forward: a row whose channels lie side by side, then one with several positions -----------

void normalize_flat_row(const float* x, const GroupNormShape& shape, const GroupNorm& norm,
                        float* y, float* means, float* inverses) {
  for (std::int64_t g = 0; g < shape.groups; ++g) {
    const float* values = x + g * shape.size;
    double mean = 0.0;
    if (norm.statistic == GroupStatistic::variance) {
      mean = sum_of(shape.size, [=](std::int64_t i) { return double(values[i]); }) /
             double(shape.size);
    }
    const double squares = sum_of(shape.size, [=](std::int64_t i) {
      const double a = double(values[i]) - mean;
      return a * a;
    });
    means[g] = float(mean);
    inverses[g] = float(inverse_of(squares, double(shape.size), norm));
    const float m = means[g], inverse = inverses[g];
    const float* gamma = norm.gamma == nullptr ? nullptr : norm.gamma + g * shape.size;
    const float* beta = norm.beta == nullptr ? nullptr : norm.beta + g * shape.size;
    float* out = y + g * shape.size;
    for (std::int64_t i = 0; i < shape.size; ++i) {
      const float normal = (values[i] - m) * inverse;
      out[i] = (gamma == nullptr ? normal : gamma[i] * normal) + (beta == nullptr ? 0 : beta[i]);
    }
  }
}

void sum_channels(const float* x, std::int64_t positions, std::int64_t c, double* sums) {
  std::fill_n(sums, c, 0.0);
  for (std::int64_t p = 0; p < positions; ++p) {
    for (std::int64_t i = 0; i < c; ++i) sums[i] += double(x[p * c + i]);
  }
}

void sum_squares(const float* x, std::int64_t positions, std::int64_t c, const double* mean,
                 double* sums) {
  std::fill_n(sums, c, 0.0);
  for (std::int64_t p = 0; p < positions; ++p) {
    for (std::int64_t i = 0; i < c; ++i) {
      const double a = double(x[p * c + i]) - mean[i];
      sums[i] += a * a;
    }
  }
}

void normalize_row(const float* x, const GroupNormShape& shape, const GroupNorm& norm, float* y,
                   float* means, float* inverses, const Worker& work) {
  const std::int64_t c = shape.channels(), size = shape.size;
  const double count = double(shape.positions * size);
  std::fill_n(work.first, c, 0.0);
  if (norm.statistic == GroupStatistic::variance) {
    sum_channels(x, shape.positions, c, work.first);
  }
  for (std::int64_t g = 0; g < shape.groups; ++g) {
    double mean = 0.0;
    for (std::int64_t i = g * size; i < (g + 1) * size; ++i) mean += work.first[i];
    mean /= count;
    means[g] = float(mean);
    std::fill_n(work.first + g * size, size, mean);
  }
  sum_squares(x, shape.positions, c, work.first, work.second);
  for (std::int64_t g = 0; g < shape.groups; ++g) {
    double squares = 0.0;
    for (std::int64_t i = g * size; i < (g + 1) * size; ++i) squares += work.second[i];
    inverses[g] = float(inverse_of(squares, count, norm));
  }
  spread(means, shape, work.mean);
  spread(inverses, shape, work.inverse_std);
  const float *gamma = norm.gamma, *beta = norm.beta;
  for (std::int64_t p = 0; p < shape.positions; ++p) {
    for (std::int64_t i = 0; i < c; ++i) {
      const float normal = (x[p * c + i] - work.mean[i]) * work.inverse_std[i];
      y[p * c + i] =
          (gamma == nullptr ? normal : gamma[i] * normal) + (beta == nullptr ? 0 : beta[i]);
    }
  }
}

// --- backward ----------------------------------------------------------------------------------

// Whether the statistic is constant: a norm that is smaller than epsilon.
bool is_fixed(float inverse, const GroupNorm& norm) {
  return norm.statistic == GroupStatistic::norm && inverse >= float(1.0 / norm.epsilon);
}

// Returns what a group's sum of gamma * dy, or of gamma * dy * normal, is divided by.
double divisor(const GroupNormShape& shape, const GroupNorm& norm) {
  return norm.statistic == GroupStatistic::norm ? 1.0 : double(shape.positions * shape.size);
}

// Adds a row's sums over positions of dy and of dy * normal to `dbeta` and `dgamma`, and keeps them
// in the worker's arrays.
void sum_row_gradients(const float* dy, const float* x, const GroupNormShape& shape,
                       const Worker& work, double* dgamma, double* dbeta) {
  const std::int64_t c = shape.channels();
  std::fill_n(work.first, c, 0.0);
  std::fill_n(work.second, c, 0.0);
  for (std::int64_t p = 0; p < shape.positions; ++p) {
    const float *gradient = dy + p * c, *values = x + p * c;
    for (std::int64_t i = 0; i < c; ++i) {
      const float normal = (values[i] - work.mean[i]) * work.inverse_std[i];
      work.first[i] += double(gradient[i]);
      work.second[i] += double(gradient[i]) * double(normal);
    }
  }
  for (std::int64_t i = 0; i < c; ++i) {
    dbeta[i] += work.first[i];
    dgamma[i] += work.second[i];
  }
}

// Computes, per channel, what is subtracted from gamma * dy: offset + slope * normal.
void group_terms(const float* inverses, const GroupNormShape& shape, const GroupNorm& norm,
                 const Worker& work) {
  const double by = divisor(shape, norm);
  for (std::int64_t g = 0; g < shape.groups; ++g) {
    double first = 0.0, second = 0.0;
    for (std::int64_t i = g * shape.size; i < (g + 1) * shape.size; ++i) {
      const double gamma = norm.gamma == nullptr ? 1.0 : double(norm.gamma[i]);
      first += gamma * work.first[i];
      second += gamma * work.second[i];
    }
    if (norm.statistic != GroupStatistic::variance) first = 0.0;
    if (is_fixed(inverses[g], norm)) second = 0.0;
    std::fill_n(work.offset + g * shape.size, shape.size, float(first / by));
    std::fill_n(work.slope + g * shape.size, shape.size, float(second / by));
  }
}

void row_gradient(const float* dy, const float* x, const GroupNormShape& shape,
                  const GroupNorm& norm, const Worker& work, float* dx) {
  const std::int64_t c = shape.channels();
  const float* gamma = norm.gamma;
  for (std::int64_t p = 0; p < shape.positions; ++p) {
    const float *gradient = dy + p * c, *values = x + p * c;
    for (std::int64_t i = 0; i < c; ++i) {
      const float normal = (values[i] - work.mean[i]) * work.inverse_std[i];
      const float g = gamma == nullptr ? gradient[i] : gamma[i] * gradient[i];
      dx[p * c + i] = work.inverse_std[i] * (g - work.offset[i] - normal * work.slope[i]);
    }
  }
}

}  // namespace

std::size_t group_norm_forward_scratch(const GroupNormShape& shape) {
  if (shape.positions == 1) return 0;
  return std::size_t(max_workers()) * worker_bytes(shape.channels());
}

void group_norm_forward(const float* x, const GroupNormShape& shape, const GroupNorm& norm,
                        float* y, float* mean, float* inverse_std, char* scratch) noexcept {
  const std::int64_t n = shape.row(), g = shape.groups;
  parallel_rows(shape.rows, n, [=](std::int64_t row, int worker) {
    const float* values = x + row * n;
    float *out = y + row * n, *means = mean + row * g, *inverses = inverse_std + row * g;
    if (shape.positions == 1) {
      normalize_flat_row(values, shape, norm, out, means, inverses);
    } else {
      const Worker work = worker_of(scratch, shape.channels(), worker);
      normalize_row(values, shape, norm, out, means, inverses, work);
    }
  });
}

std::size_t group_norm_backward_scratch(const GroupNormShape& shape) {
  const std::int64_t c = shape.channels(), tasks = ceil_div(shape.rows, rows_of_task(shape));
  return std::size_t(max_workers()) * worker_bytes(c) + std::size_t(2 * tasks * c) * sizeof(double);
}

void group_norm_backward(const float* dy, const GroupNormSaved& saved, const GroupNormShape& shape,
                         const GroupNorm& norm, const GroupNormGradients& gradients,
                         char* scratch) noexcept {
  const std::int64_t n = shape.row(), c = shape.channels(), piece = rows_of_task(shape);
  const std::int64_t tasks = ceil_div(shape.rows, piece);
  auto* sums = reinterpret_cast<double*>(scratch + std::size_t(max_workers()) * worker_bytes(c));
  parallel_for(tasks, [=](std::int64_t task, int worker) {
    double *dgamma = sums + 2 * task * c, *dbeta = dgamma + c;
    std::fill_n(dgamma, 2 * c, 0.0);
    const Worker work = worker_of(scratch, c, worker);
    const std::int64_t end = std::min(shape.rows, (task + 1) * piece);
    for (std::int64_t row = task * piece; row < end; ++row) {
      const float* inverses = saved.inverse_std + row * shape.groups;
      spread(saved.mean + row * shape.groups, shape, work.mean);
      spread(inverses, shape, work.inverse_std);
      sum_row_gradients(dy + row * n, saved.x + row * n, shape, work, dgamma, dbeta);
      if (gradients.dx == nullptr) continue;
      group_terms(inverses, shape, norm, work);
      row_gradient(dy + row * n, saved.x + row * n, shape, norm, work, gradients.dx + row * n);
    }
  });
  for (std::int64_t i = 0; i < c; ++i) {
    double dgamma = 0.0, dbeta = 0.0;
    for (std::int64_t task = 0; task < tasks; ++task) {
      dgamma += sums[2 * task * c + i];
      dbeta += sums[(2 * task + 1) * c + i];
    }
    if (gradients.dgamma != nullptr) gradients.dgamma[i] = float(dgamma);
    if (gradients.dbeta != nullptr) gradients.dbeta[i] = float(dbeta);
  }
}

}  // namespace minicnn
