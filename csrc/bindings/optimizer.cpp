#include "kernels/optimizer.hpp"

#include "bindings/call.hpp"
#include "kernels/clipping.hpp"
#include "kernels/elementwise.hpp"

namespace minicnn {
namespace {

// An array that is updated in place. Where the caller reads one and writes another, begin() copies
// it first. Without an array, `data` is null.
template <class T>
struct Update {
  const T* from;
  T* data;
  std::int64_t size;

  void begin() const {
    if (data != nullptr) copy(from, size * std::int64_t(sizeof(T)), data);
  }
};

template <class T = float>
Update<T> update(const Call& call, std::size_t read, std::size_t write) {
  call.demand_shape(call.write(write), call.read(read).shape);
  return {call.in<T>(read), call.out<T>(write), call.read(read).size()};
}

// The optional array that an optimizer keeps beside each weight.
Update<float> optional_slot(const Call& call, std::size_t read, std::size_t write) {
  call.demand(call.reads(read) == call.writes(write),
              "an optional array must be both read and written, or neither");
  if (!call.reads(read)) return {nullptr, nullptr, 0};
  call.demand_shape(call.read(read), call.read(0).shape);
  return update(call, read, write);
}

Update<float> slot(const Call& call, std::size_t read, std::size_t write) {
  call.demand_shape(call.read(read), call.read(0).shape);
  return update(call, read, write);
}

const float* gradient(const Call& call) {
  call.demand_shape(call.read(1), call.read(0).shape);
  return call.in<float>(1);
}

Rates rates(const Call& call, std::size_t read) {
  call.demand_shape(call.read(read), {2});
  return {call.in<float>(read), float(call.number("multiplier"))};
}

WeightDecay decay(const Call& call) {
  return {float(call.number("weight_decay")), call.flag("decoupled")};
}

Prepared prepare_sgd_update(const Call& call) {
  const auto w = update(call, 0, 0), velocity = optional_slot(call, 2, 1);
  const Weights weights{w.data, gradient(call), w.size};
  const Rates own = rates(call, 3);
  const WeightDecay shrinking = decay(call);
  const Sgd sgd{velocity.data, float(call.number("momentum")), call.flag("nesterov")};
  return {[=](char*) {
    w.begin();
    velocity.begin();
    sgd_update(weights, own, shrinking, sgd);
  }};
}

Prepared prepare_adam_update(const Call& call) {
  const auto w = update(call, 0, 0), first = slot(call, 2, 1), second = slot(call, 3, 2);
  const Weights weights{w.data, gradient(call), w.size};
  const Rates own = rates(call, 4);
  const WeightDecay shrinking = decay(call);
  const Adam adam{first.data, second.data, float(call.number("beta_1")),
                  float(call.number("beta_2")), float(call.number("epsilon"))};
  return {[=](char*) {
    w.begin();
    first.begin();
    second.begin();
    adam_update(weights, own, shrinking, adam);
  }};
}

Prepared prepare_rmsprop_update(const Call& call) {
  const auto w = update(call, 0, 0), square = slot(call, 2, 1);
  const auto velocity = optional_slot(call, 3, 2), mean = optional_slot(call, 4, 3);
  const Weights weights{w.data, gradient(call), w.size};
  const Rates own = rates(call, 5);
  const WeightDecay shrinking = decay(call);
  const auto momentum = float(call.number("momentum"));
  const RmsProp rmsprop{square.data,
                        momentum > 0.0F ? velocity.data : nullptr,
                        call.flag("centered") ? mean.data : nullptr,
                        float(call.number("rho")),
                        momentum,
                        float(call.number("epsilon"))};
  return {[=](char*) {
    w.begin();
    square.begin();
    velocity.begin();
    mean.begin();
    rmsprop_update(weights, own, shrinking, rmsprop);
  }};
}

Prepared prepare_clip_by_value(const Call& call) {
  const auto dw = update(call, 0, 0);
  const auto limit = float(call.number("limit"));
  return {[=](char*) {
    dw.begin();
    clip_by_value(dw.data, dw.size, limit);
  }};
}

Prepared prepare_clip_by_norm(const Call& call) {
  const auto dw = update(call, 0, 0);
  const double limit = call.number("limit");
  return {[=](char* scratch) {
            dw.begin();
            clip_by_norm(dw.data, dw.size, squared_norm(dw.data, dw.size, scratch), limit);
          },
          squared_norm_scratch(dw.size)};
}

Prepared prepare_squared_norm_start(const Call& call) {
  call.demand_shape(call.write(0), {1});
  const auto* dw = call.in<float>(0);
  const std::int64_t size = call.read(0).size();
  auto* total = call.out<double>(0);
  return {[=](char* scratch) { *total = squared_norm(dw, size, scratch); },
          squared_norm_scratch(size)};
}

Prepared prepare_squared_norm_add(const Call& call) {
  call.demand_shape(call.read(1), {1});
  const auto total = update<double>(call, 1, 0);
  const auto* dw = call.in<float>(0);
  const std::int64_t size = call.read(0).size();
  return {[=](char* scratch) {
            total.begin();
            *total.data += squared_norm(dw, size, scratch);
          },
          squared_norm_scratch(size)};
}

Prepared prepare_clip_by_global_norm(const Call& call) {
  const auto dw = update(call, 0, 0);
  call.demand_shape(call.read(1), {1});
  const auto* total = call.in<double>(1);
  const double limit = call.number("limit");
  return {[=](char*) {
    dw.begin();
    clip_by_norm(dw.data, dw.size, *total, limit);
  }};
}

}  // namespace

std::vector<Kernel> optimizer_kernels() {
  return {
      {"sgd_update", prepare_sgd_update},
      {"adam_update", prepare_adam_update},
      {"rmsprop_update", prepare_rmsprop_update},
      {"clip_by_value", prepare_clip_by_value},
      {"clip_by_norm", prepare_clip_by_norm},
      {"squared_norm_start", prepare_squared_norm_start},
      {"squared_norm_add", prepare_squared_norm_add},
      {"clip_by_global_norm", prepare_clip_by_global_norm},
  };
}

}  // namespace minicnn
