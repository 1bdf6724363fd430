#include "kernels/optimizer.hpp"

#include <array>
#include <variant>
#include <vector>

#include "bindings/call.hpp"
#include "kernels/averages.hpp"
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

// Returns the second array that is read, which has the shape of the first.
const float* gradient(const Call& call) {
  call.require_shape(call.read(1), call.read(0).shape);
  return call.in<float>(1);
}

Rates rates(const Call& call, std::size_t read, std::int64_t count) {
  call.require_shape(call.read(read), {count});
  return {call.in<float>(read), float(call.number("multiplier"))};
}

WeightDecay decay(const Call& call) {
  return {float(call.number("weight_decay")), call.flag("decoupled")};
}

// The arguments of a rule's `from`. The slots are the call's reads from `next` on, and its writes
// from 1 on; the constants are its attributes.
template <std::size_t slots>
class RuleArguments {
 public:
  RuleArguments(const Call& call, std::size_t next) : call_(call), next_(next) {}

  float* slot(std::size_t i) {
    call_.require_shape(call_.read(next_ + i), call_.read(0).shape);
    updates_[i] = update(call_, next_ + i, 1 + i);
    return updates_[i].data;
  }

  float* optional_slot(std::size_t i) {
    call_.require(call_.reads(next_ + i) == call_.writes(1 + i),
                  "an optional array must be both read and written, or neither");
    return call_.reads(next_ + i) ? slot(i) : nullptr;
  }

  float number(const char* name) const { return float(call_.number(name)); }
  // Rounded once: in float32, 1 - 0.999 would be off by a part in 100,000.
  float one_minus(const char* name) const { return float(1.0 - call_.number(name)); }
  bool flag(const char* name) const { return call_.flag(name); }

  const std::array<Update<float>, slots>& updates() const { return updates_; }

 private:
  const Call& call_;
  std::size_t next_;
  std::array<Update<float>, slots> updates_;
};

// An optimizer, and the weights and slots that one call updates.
template <class Rule>
struct OptimizerCall {
  Optimizer optimizer;
  Update<float> w;
  std::array<Update<float>, Rule::kSlots> slots;

  // The slots are the reads from `next` on; the rates are the last read.
  OptimizerCall(const Call& call, std::size_t next) : w(update(call, 0, 0)) {
    RuleArguments<Rule::kSlots> arguments(call, next);
    optimizer = {rates(call, next + Rule::kSlots, Rule::kRates), decay(call),
                 Rule::from(arguments)};
    slots = arguments.updates();
  }

  void begin() const {
    w.begin();
    for (const auto& array : slots) array.begin();
  }
};

template <class Rule>
Prepared prepare_update(const Call& call) {
  const OptimizerCall<Rule> own(call, 2);
  const Weights weights{own.w.data, gradient(call), own.w.size};
  return {[=](char*) {
    own.begin();
    update(weights, own.optimizer);
  }};
}

template <class Rule>
Prepared prepare_dense_update(const Call& call) {
  const auto& ws = call.read(0).shape;
  const Array &rows = call.read(1), &x = call.read(2);
  call.require(ws.size() == 2 && rows.shape.size() >= 2, "arrays must have 2 axes or more");
  call.require(ws[0] >= 1 && ws[1] >= 1, "only the batch may have length 0");
  const Dense dense{rows.rows(), ws[0], ws[1]};
  call.require_rows(rows, rows, dense.units);
  call.require_rows(x, rows, dense.inputs);
  const auto *dy = call.in<float>(1), *inputs = call.in<float>(2);
  return {[=, own = OptimizerCall<Rule>(call, 3)](char* scratch) {
            own.begin();
            dense_update(dense, dy, inputs, own.w.data, own.optimizer, scratch);
          },
          dense_update_scratch(dense)};
}

// The two kernels of each rule.
template <class... Rules>
std::vector<Kernel> kernels_of(const std::variant<Rules...>* /* the list of rules */) {
  std::vector<Kernel> kernels;
  (kernels.push_back({Rules::kUpdate, prepare_update<Rules>}), ...);
  (kernels.push_back({Rules::kDenseUpdate, prepare_dense_update<Rules>}), ...);
  return kernels;
}

Prepared prepare_add_gradient(const Call& call) {
  const auto sum = update(call, 0, 0);
  const auto* dw = gradient(call);
  return {[=](char*) {
    sum.begin();
    add_gradient(sum.data, dw, sum.size);
  }};
}

Prepared prepare_mean_gradient(const Call& call) {
  const auto dw = update(call, 0, 0);
  const auto* sum = gradient(call);
  const auto batches = float(call.number("batches"));
  return {[=](char*) {
    dw.begin();
    mean_gradient(dw.data, sum, dw.size, batches);
  }};
}

Prepared prepare_moving_average(const Call& call) {
  const auto average = update(call, 0, 0);
  const auto* w = gradient(call);
  const double momentum = call.number("momentum");
  return {[=, old = float(momentum), fresh = float(1.0 - momentum)](char*) {
    average.begin();
    moving_average(average.data, w, average.size, old, fresh);
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
  std::vector<Kernel> kernels = kernels_of(static_cast<const OptimizerRule*>(nullptr));
  kernels.insert(kernels.end(), {{"add_gradient", prepare_add_gradient},
                                 {"mean_gradient", prepare_mean_gradient},
                                 {"moving_average", prepare_moving_average},
                                 {"clip_by_value", prepare_clip_by_value},
                                 {"clip_by_norm", prepare_clip_by_norm},
                                 {"squared_norm_start", prepare_squared_norm_start},
                                 {"squared_norm_add", prepare_squared_norm_add},
                                 {"clip_by_global_norm", prepare_clip_by_global_norm}});
  return kernels;
}

}  // namespace minicnn
