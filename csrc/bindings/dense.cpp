#include "kernels/dense.hpp"

#include "bindings/call.hpp"

namespace minicnn {
namespace {

// The shapes from w (inputs, units) and x or dy, whose axes but the last are rows of a matrix.
Dense dense_of(const Call& call, const Array& rows, const std::vector<std::int64_t>& w) {
  call.require(rows.shape.size() >= 2, "x and dy must have at least 2 axes");
  call.require(w.size() == 2, "the weights must have 2 axes");
  call.require(w[0] >= 1 && w[1] >= 1, "only the batch may have length 0");
  return {rows.rows(), w[0], w[1]};
}

Prepared prepare_forward(const Call& call) {
  const Dense dense = dense_of(call, call.read(0), call.read(1).shape);
  call.require_rows(call.read(0), call.read(0), dense.inputs);
  if (call.reads(2)) call.require_shape(call.read(2), {dense.units});
  call.require_rows(call.write(0), call.read(0), dense.units);
  const float *x = call.in<float>(0), *w = call.in<float>(1), *b = call.in<float>(2);
  float* y = call.out<float>(0);
  return {[=](char* scratch) { dense_forward(dense, x, w, b, y, scratch); },
          dense_forward_scratch(dense)};
}

Prepared prepare_backward_input(const Call& call) {
  const Dense dense = dense_of(call, call.read(0), call.read(1).shape);
  call.require_rows(call.read(0), call.read(0), dense.units);
  call.require_rows(call.write(0), call.read(0), dense.inputs);
  const float *dy = call.in<float>(0), *w = call.in<float>(1);
  float* dx = call.out<float>(0);
  return {[=](char* scratch) { dense_backward_input(dense, dy, w, dx, scratch); },
          dense_backward_input_scratch(dense)};
}

Prepared prepare_backward_weights(const Call& call) {
  const Dense dense = dense_of(call, call.read(0), call.write(0).shape);
  call.require_rows(call.read(0), call.read(0), dense.units);
  call.require_rows(call.read(1), call.read(0), dense.inputs);
  if (call.writes(1)) call.require_shape(call.write(1), {dense.units});
  const float *dy = call.in<float>(0), *x = call.in<float>(1);
  float *dw = call.out<float>(0), *db = call.out<float>(1);
  return {[=](char* scratch) { dense_backward_weights(dense, dy, x, dw, db, scratch); },
          dense_backward_weights_scratch(dense)};
}

}  // namespace

std::vector<Kernel> dense_kernels() {
  return {{"dense_forward", prepare_forward},
          {"dense_backward_input", prepare_backward_input},
          {"dense_backward_weights", prepare_backward_weights}};
}

}  // namespace minicnn
