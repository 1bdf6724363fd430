#include "kernels/loss.hpp"

#include "bindings/call.hpp"
#include "kernels/logits_loss.hpp"

namespace minicnn {
namespace {

// A prediction, (N, ...), as rows: one a sample.
struct Rows {
  std::int64_t n, c;
};

Rows rows_of(const Call& call, const Array& prediction) {
  call.demand(prediction.shape.size() >= 2, "a prediction must have two axes or more");
  Rows rows{prediction.shape[0], 1};
  for (std::size_t i = 1; i < prediction.shape.size(); ++i) rows.c *= prediction.shape[i];
  call.demand(rows.c >= 1, "only the batch may be empty");
  return rows;
}

// `classes` is what smoothing spreads over: two for a number that stands for yes and no.
Smoothing smoothing(const Call& call, std::int64_t classes) {
  if (!call.has("label_smoothing")) return {1.0F, 0.0F};
  const double s = call.number("label_smoothing");
  return {float(1.0 - s), float(s / double(classes))};
}

// Read `i` as the truth of a prediction of classes.
template <class Truth>
Truth class_truth(const Call& call, std::size_t i, const Array& prediction);

template <>
DenseTruth class_truth(const Call& call, std::size_t i, const Array& prediction) {
  call.demand(prediction.shape.size() == 2, "classes must be on the second of two axes");
  call.demand_shape(call.read(i), prediction.shape);
  const std::int64_t c = prediction.shape[1];
  return {call.in<float>(i), c, smoothing(call, c)};
}

template <>
SparseTruth class_truth(const Call& call, std::size_t i, const Array& prediction) {
  call.demand(prediction.shape.size() == 2, "classes must be on the second of two axes");
  call.demand_shape(call.read(i), {prediction.shape[0]});
  const std::int64_t c = prediction.shape[1];
  return {call.in<std::int32_t>(i), c, smoothing(call, c)};
}

// Read `i` as the truth of a prediction number by number.
DenseTruth number_truth(const Call& call, std::size_t i, const Array& prediction) {
  call.demand_shape(call.read(i), prediction.shape);
  return {call.in<float>(i), rows_of(call, prediction).c, smoothing(call, 2)};
}

using Forward = void (*)(const float* y_pred, const DenseTruth& truth, std::int64_t rows,
                         float* loss) noexcept;
using Backward = void (*)(const float* dloss, const float* y_pred, const DenseTruth& truth,
                          std::int64_t rows, float* dy_pred) noexcept;

// Shapes of a backward kernel: a number a sample, and the gradient like the prediction.
Rows demand_backward(const Call& call) {
  const Rows rows = rows_of(call, call.read(1));
  call.demand_shape(call.read(0), {rows.n});
  call.demand_shape(call.write(0), call.read(1).shape);
  return rows;
}

template <Forward kernel>
Prepared forward(const Call& call) {
  const Rows rows = rows_of(call, call.read(0));
  const DenseTruth truth = number_truth(call, 1, call.read(0));
  call.demand_shape(call.write(0), {rows.n});
  const auto* y_pred = call.in<float>(0);
  auto* loss = call.out<float>(0);
  return {[=](char*) { kernel(y_pred, truth, rows.n, loss); }};
}

template <Backward kernel>
Prepared backward(const Call& call) {
  const Rows rows = demand_backward(call);
  const DenseTruth truth = number_truth(call, 2, call.read(1));
  const auto *dloss = call.in<float>(0), *y_pred = call.in<float>(1);
  auto* dy_pred = call.out<float>(0);
  return {[=](char*) { kernel(dloss, y_pred, truth, rows.n, dy_pred); }};
}

template <class Truth>
Prepared categorical_forward(const Call& call) {
  const Rows rows = rows_of(call, call.read(0));
  const auto truth = class_truth<Truth>(call, 1, call.read(0));
  call.demand_shape(call.write(0), {rows.n});
  const auto* y_pred = call.in<float>(0);
  auto* loss = call.out<float>(0);
  return {[=](char*) { categorical_crossentropy_forward(y_pred, truth, rows.n, loss); }};
}

template <class Truth>
Prepared categorical_backward(const Call& call) {
  const Rows rows = demand_backward(call);
  const auto truth = class_truth<Truth>(call, 2, call.read(1));
  const auto *dloss = call.in<float>(0), *y_pred = call.in<float>(1);
  auto* dy_pred = call.out<float>(0);
  return {[=](char*) { categorical_crossentropy_backward(dloss, y_pred, truth, rows.n, dy_pred); }};
}

template <class Truth>
Prepared softmax_forward(const Call& call) {
  const Rows rows = rows_of(call, call.read(0));
  const auto truth = class_truth<Truth>(call, 1, call.read(0));
  call.demand_shape(call.write(0), {rows.n});
  call.demand_shape(call.write(1), call.read(0).shape);
  const auto* logits = call.in<float>(0);
  auto *loss = call.out<float>(0), *y = call.out<float>(1);
  call.demand(logits != y, "the loss needs its logits to the end: probabilities go elsewhere");
  return {[=](char*) { softmax_crossentropy_forward(logits, truth, rows.n, loss, y); }};
}

template <class Truth>
Prepared softmax_backward(const Call& call) {
  const Rows rows = demand_backward(call);
  const auto truth = class_truth<Truth>(call, 2, call.read(1));
  const auto *dloss = call.in<float>(0), *y = call.in<float>(1);
  auto* dlogits = call.out<float>(0);
  return {[=](char*) { softmax_crossentropy_backward(dloss, y, truth, rows.n, dlogits); }};
}

Prepared prepare_sigmoid_binary_crossentropy_forward(const Call& call) {
  const Rows rows = rows_of(call, call.read(0));
  const DenseTruth truth = number_truth(call, 1, call.read(0));
  call.demand_shape(call.write(0), {rows.n});
  call.demand_shape(call.write(1), call.read(0).shape);
  const auto* logits = call.in<float>(0);
  auto *loss = call.out<float>(0), *y = call.out<float>(1);
  return {[=](char*) { sigmoid_binary_crossentropy_forward(logits, truth, rows.n, loss, y); }};
}

}  // namespace

std::vector<Kernel> loss_kernels() {
  return {
      {"categorical_crossentropy_forward", categorical_forward<DenseTruth>},
      {"categorical_crossentropy_backward", categorical_backward<DenseTruth>},
      {"sparse_categorical_crossentropy_forward", categorical_forward<SparseTruth>},
      {"sparse_categorical_crossentropy_backward", categorical_backward<SparseTruth>},
      {"binary_crossentropy_forward", forward<binary_crossentropy_forward>},
      {"binary_crossentropy_backward", backward<binary_crossentropy_backward>},
      {"mean_squared_error_forward", forward<mean_squared_error_forward>},
      {"mean_squared_error_backward", backward<mean_squared_error_backward>},
      {"softmax_categorical_crossentropy_forward", softmax_forward<DenseTruth>},
      {"softmax_categorical_crossentropy_backward", softmax_backward<DenseTruth>},
      {"softmax_sparse_categorical_crossentropy_forward", softmax_forward<SparseTruth>},
      {"softmax_sparse_categorical_crossentropy_backward", softmax_backward<SparseTruth>},
      {"sigmoid_binary_crossentropy_forward", prepare_sigmoid_binary_crossentropy_forward},
      {"sigmoid_binary_crossentropy_backward", backward<sigmoid_binary_crossentropy_backward>},
  };
}

}  // namespace minicnn
