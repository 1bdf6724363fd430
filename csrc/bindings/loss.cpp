#include "kernels/loss.hpp"

#include "bindings/call.hpp"
#include "kernels/logits_loss.hpp"

namespace minicnn {
namespace {

// A prediction (N, ...) seen as rows, one per sample.
struct SampleRows {
  std::int64_t n, c;
};

SampleRows rows_of(const Call& call, const Array& prediction) {
  call.require(prediction.shape.size() >= 2, "a prediction must have at least two axes");
  SampleRows rows{prediction.shape[0], 1};
  for (std::size_t i = 1; i < prediction.shape.size(); ++i) rows.c *= prediction.shape[i];
  call.require(rows.c >= 1, "only the batch may have length 0");
  return rows;
}

// Smoothing spreads over `classes`: two if every value is a yes-or-no decision.
Smoothing smoothing(const Call& call, std::int64_t classes) {
  if (!call.has("label_smoothing")) return {1.0F, 0.0F};
  const double s = call.number("label_smoothing");
  return {float(1.0 - s), float(s / double(classes))};
}

// Returns read `i` as the targets of predicted class probabilities.
template <class Targets>
Targets class_targets(const Call& call, std::size_t i, const Array& prediction);

template <>
DenseTargets class_targets(const Call& call, std::size_t i, const Array& prediction) {
  call.require(prediction.shape.size() == 2,
               "a prediction must have two axes, samples and classes");
  call.require_shape(call.read(i), prediction.shape);
  const std::int64_t c = prediction.shape[1];
  return {call.in<float>(i), c, smoothing(call, c)};
}

template <>
SparseTargets class_targets(const Call& call, std::size_t i, const Array& prediction) {
  call.require(prediction.shape.size() == 2,
               "a prediction must have two axes, samples and classes");
  call.require_shape(call.read(i), {prediction.shape[0]});
  const std::int64_t c = prediction.shape[1];
  return {call.in<std::int32_t>(i), c, smoothing(call, c)};
}

// Returns read `i` as the targets of predicted values.
DenseTargets value_targets(const Call& call, std::size_t i, const Array& prediction) {
  call.require_shape(call.read(i), prediction.shape);
  return {call.in<float>(i), rows_of(call, prediction).c, smoothing(call, 2)};
}

using Forward = void (*)(const float* y_pred, const DenseTargets& targets, std::int64_t rows,
                         float* loss) noexcept;
using Backward = void (*)(const float* dloss, const float* y_pred, const DenseTargets& targets,
                          std::int64_t rows, float* dy_pred) noexcept;

// Checks the shapes of a backward kernel: dloss has one value per sample, and the gradient has the
// shape of the prediction.
SampleRows require_backward_shapes(const Call& call) {
  const SampleRows rows = rows_of(call, call.read(1));
  call.require_shape(call.read(0), {rows.n});
  call.require_shape(call.write(0), call.read(1).shape);
  return rows;
}

template <Forward kernel>
Prepared forward(const Call& call) {
  const SampleRows rows = rows_of(call, call.read(0));
  const DenseTargets targets = value_targets(call, 1, call.read(0));
  call.require_shape(call.write(0), {rows.n});
  const auto* y_pred = call.in<float>(0);
  auto* loss = call.out<float>(0);
  return {[=](char*) { kernel(y_pred, targets, rows.n, loss); }};
}

template <Backward kernel>
Prepared backward(const Call& call) {
  const SampleRows rows = require_backward_shapes(call);
  const DenseTargets targets = value_targets(call, 2, call.read(1));
  const auto *dloss = call.in<float>(0), *y_pred = call.in<float>(1);
  auto* dy_pred = call.out<float>(0);
  return {[=](char*) { kernel(dloss, y_pred, targets, rows.n, dy_pred); }};
}

template <class Targets>
Prepared categorical_forward(const Call& call) {
  const SampleRows rows = rows_of(call, call.read(0));
  const auto targets = class_targets<Targets>(call, 1, call.read(0));
  call.require_shape(call.write(0), {rows.n});
  const auto* y_pred = call.in<float>(0);
  auto* loss = call.out<float>(0);
  return {[=](char*) { categorical_crossentropy_forward(y_pred, targets, rows.n, loss); }};
}

template <class Targets>
Prepared categorical_backward(const Call& call) {
  const SampleRows rows = require_backward_shapes(call);
  const auto targets = class_targets<Targets>(call, 2, call.read(1));
  const auto *dloss = call.in<float>(0), *y_pred = call.in<float>(1);
  auto* dy_pred = call.out<float>(0);
  return {
      [=](char*) { categorical_crossentropy_backward(dloss, y_pred, targets, rows.n, dy_pred); }};
}

template <class Targets>
Prepared softmax_forward(const Call& call) {
  const SampleRows rows = rows_of(call, call.read(0));
  const auto targets = class_targets<Targets>(call, 1, call.read(0));
  call.require_shape(call.write(0), {rows.n});
  call.require_shape(call.write(1), call.read(0).shape);
  const auto* logits = call.in<float>(0);
  auto *loss = call.out<float>(0), *y = call.out<float>(1);
  call.require(logits != y,
               "the probabilities must not overwrite the logits, which the loss reads to the end");
  return {[=](char*) { softmax_crossentropy_forward(logits, targets, rows.n, loss, y); }};
}

template <class Targets>
Prepared softmax_backward(const Call& call) {
  const SampleRows rows = require_backward_shapes(call);
  const auto targets = class_targets<Targets>(call, 2, call.read(1));
  const auto *dloss = call.in<float>(0), *y = call.in<float>(1);
  auto* dlogits = call.out<float>(0);
  return {[=](char*) { softmax_crossentropy_backward(dloss, y, targets, rows.n, dlogits); }};
}

Prepared prepare_sigmoid_binary_crossentropy_forward(const Call& call) {
  const SampleRows rows = rows_of(call, call.read(0));
  const DenseTargets targets = value_targets(call, 1, call.read(0));
  call.require_shape(call.write(0), {rows.n});
  call.require_shape(call.write(1), call.read(0).shape);
  const auto* logits = call.in<float>(0);
  auto *loss = call.out<float>(0), *y = call.out<float>(1);
  return {[=](char*) { sigmoid_binary_crossentropy_forward(logits, targets, rows.n, loss, y); }};
}

}  // namespace

std::vector<Kernel> loss_kernels() {
  return {
      {"categorical_crossentropy_forward", categorical_forward<DenseTargets>},
      {"categorical_crossentropy_backward", categorical_backward<DenseTargets>},
      {"sparse_categorical_crossentropy_forward", categorical_forward<SparseTargets>},
      {"sparse_categorical_crossentropy_backward", categorical_backward<SparseTargets>},
      {"binary_crossentropy_forward", forward<binary_crossentropy_forward>},
      {"binary_crossentropy_backward", backward<binary_crossentropy_backward>},
      {"mean_squared_error_forward", forward<mean_squared_error_forward>},
      {"mean_squared_error_backward", backward<mean_squared_error_backward>},
      {"softmax_categorical_crossentropy_forward", softmax_forward<DenseTargets>},
      {"softmax_categorical_crossentropy_backward", softmax_backward<DenseTargets>},
      {"softmax_sparse_categorical_crossentropy_forward", softmax_forward<SparseTargets>},
      {"softmax_sparse_categorical_crossentropy_backward", softmax_backward<SparseTargets>},
      {"sigmoid_binary_crossentropy_forward", prepare_sigmoid_binary_crossentropy_forward},
      {"sigmoid_binary_crossentropy_backward", backward<sigmoid_binary_crossentropy_backward>},
  };
}

}  // namespace minicnn
