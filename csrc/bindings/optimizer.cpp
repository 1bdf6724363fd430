#include "kernels/optimizer.hpp"

#include <array>

#include "bindings/call.hpp"
#include "kernels/clipping.hpp"
#include "kernels/dense_update.hpp"
#include "kernels/elementwise.hpp"

namespace minicnn {
namespace {

// An array that is updated in place. If the caller reads one array and writes another, begin()
// first copies it. `data` is null if there is no array.
template <class T>
struct Update {
  const T* from = nullptr;
  T* data = nullptr;
  std::int64_t size = 0;

  void begin() const {
    if (data != nullptr) copy(from, size * std::int64_t(sizeof(T)), data);
  }
};

template <class T = float>
Update<T> update(const Call& call, std::size_t read, std::size_t write) {
  call.require_shape(call.write(write), call.read(read).shape);
  return {call.in<T>(read), call.out<T>(write), call.read(read).size()};
}

// An optional slot: an array that an optimizer keeps beside the weights.
Update<float> optional_slot(const Call& call, std::size_t read, std::size_t write) {
  call.require(call.reads(read) == call.writes(write),
               "an optional array must be both read and written, or neither");
  if (!call.reads(read)) return {};
  call.require_shape(call.read(read), call.read(0).shape);
  return update(call, read, write);
}

Update<float> slot(const Call& call, std::size_t read, std::size_t write) {
  call.require_shape(call.read(read), call.read(0).shape);
  return update(call, read, write);
}

const float* gradient(const Call& call) {
  call.require_shape(call.read(1), call.read(0).shape);
  return call.in<float>(1);
}

Rates rates(const Call& call, std::size_t read) {
  call.require_shape(call.read(read), {2});
  return {call.in<float>(read), float(call.number("multiplier"))};
}

WeightDecay decay(const Call& call) {
  return {float(call.number("weight_decay")), call.flag("decoupled")};
}

// An optimizer and its slots. The reads are the slots, from `next` on, then the rates.
struct Rule {
  Optimizer optimizer;
  std::array<Update<float>, 3> slots;

  void begin() const {
    for (const auto& array : slots) array.begin();
  }
};

// Returns 1 - a number near 1. In float32 the difference would be off by a part in 100,000.
float rest(const Call& call, const char* name) { return float(1.0 - call.number(name)); }

Rule sgd(const Call& call, std::size_t next) {
  const auto velocity = optional_slot(call, next, 1);
  return {{rates(call, next + 1), decay(call),
           Sgd{velocity.data, float(call.number("momentum")), call.flag("nesterov")}},
          {velocity}};
}

Rule adam(const Call& call, std::size_t next) {
  const auto first = slot(call, next, 1), second = slot(call, next + 1, 2);
  return {{rates(call, next + 2), decay(call),
           Adam{first.data, second.data, rest(call, "beta_1"), rest(call, "beta_2"),
                float(call.number("epsilon"))}},
          {first, second}};
}

Rule rmsprop(const Call& call, std::size_t next) {
  const auto square = slot(call, next, 1);
  const auto velocity = optional_slot(call, next + 1, 2), mean = optional_slot(call, next + 2, 3);
  const auto momentum = float(call.number("momentum"));
  return {{rates(call, next + 3), decay(call),
           RmsProp{square.data, momentum > 0.0F ? velocity.data : nullptr,
                   call.flag("centered") ? mean.data : nullptr, float(call.number("rho")),
                   rest(call, "rho"), momentum, float(call.number("epsilon"))}},
          {square, velocity, mean}};
}

using RuleOf = Rule (*)(const Call& call, std::size_t next);

template <RuleOf rule_of>
Prepared prepare_update(const Call& call) {
  const auto w = update(call, 0, 0);
  const Weights weights{w.data, gradient(call), w.size};
  return {[=, rule = rule_of(call, 2)](char*) {
    w.begin();
    rule.begin();
    update(weights, rule.optimizer);
  }};
}

template <RuleOf rule_of>
Prepared prepare_dense_update(const Call& call) {
  const auto w = update(call, 0, 0);
  const auto &ws = call.read(0).shape, &dys = call.read(1).shape;
  call.require(ws.size() == 2 && dys.size() == 2, "arrays must have 2 axes");
  call.require(ws[0] >= 1 && ws[1] >= 1, "only the batch may have length 0");
  const Dense dense{dys[0], ws[0], ws[1]};
  call.require_shape(call.read(1), {dense.n, dense.units});
  call.require_shape(call.read(2), {dense.n, dense.inputs});
  const auto *dy = call.in<float>(1), *x = call.in<float>(2);
  return {[=, rule = rule_of(call, 3)](char* scratch) {
            w.begin();
            rule.begin();
            dense_update(dense, dy, x, w.data, rule.optimizer, scratch);
          },
          dense_update_scratch(dense)};
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
  call.require_shape(call.write(0), {1});
  const auto* dw = call.in<float>(0);
  const std::int64_t size = call.read(0).size();
  auto* total = call.out<double>(0);
  return {[=](char* scratch) { *total = squared_norm(dw, size, scratch); },
          squared_norm_scratch(size)};
}

Prepared prepare_squared_norm_add(const Call& call) {
  call.require_shape(call.read(1), {1});
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
  call.require_shape(call.read(1), {1});
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
      {"sgd_update", prepare_update<sgd>},
      {"adam_update", prepare_update<adam>},
      {"rmsprop_update", prepare_update<rmsprop>},
      {"dense_sgd_update", prepare_dense_update<sgd>},
      {"dense_adam_update", prepare_dense_update<adam>},
      {"dense_rmsprop_update", prepare_dense_update<rmsprop>},
      {"clip_by_value", prepare_clip_by_value},
      {"clip_by_norm", prepare_clip_by_norm},
      {"squared_norm_start", prepare_squared_norm_start},
      {"squared_norm_add", prepare_squared_norm_add},
      {"clip_by_global_norm", prepare_clip_by_global_norm},
  };
}

}  // namespace minicnn
