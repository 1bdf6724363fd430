#include <pybind11/stl.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "bindings/call.hpp"
#include "bindings/without_gil.hpp"
#include "core/isa.hpp"
#include "core/memory.hpp"
#include "core/parallel.hpp"
#include "core/watch.hpp"
#include "kernels/conv2d/kept_weights.hpp"

namespace minicnn {
namespace {

const std::map<std::string, Kernel>& registry() {
  static const std::map<std::string, Kernel> all = [] {
    std::map<std::string, Kernel> kernels;
    for (auto topic :
         {conv2d_kernels, dense_kernels, pool_kernels, activation_kernels, norm_kernels,
          fold_kernels, elementwise_kernels, loss_kernels, optimizer_kernels, augment_kernels}) {
      for (const Kernel& kernel : topic()) kernels.emplace(kernel.name, kernel);
    }
    return kernels;
  }();
  return all;
}

// A prepared call with the arrays whose memory it uses.
struct Owning {
  Prepared call;
  std::vector<py::object> owners;
};

Owning prepare(const std::string& kernel, const py::sequence& reads, const py::sequence& writes,
               const py::dict& attributes, KeptWeightsStore* store = nullptr) {
  const auto found = registry().find(kernel);
  if (found == registry().end()) throw py::key_error("no native kernel \"" + kernel + "\"");
  const Call call(kernel, reads, writes, attributes, store);
  return {found->second.prepare(call), call.owners()};
}

// Memory that kernels use while they run: buffers that grow when needed and pass from one run to
// the next. One is enough for all programs of a process, unless they run at once, in threads. It
// goes with the last program. All of it happens with the GIL held.
class ScratchPool {
 public:
  static std::shared_ptr<ScratchPool> shared() {
    static std::weak_ptr<ScratchPool> pool;
    auto alive = pool.lock();
    if (alive == nullptr) pool = alive = std::make_shared<ScratchPool>();
    return alive;
  }

  Memory take(std::size_t bytes) {
    Memory memory;
    if (bytes == 0) return memory;  // a small run beside a training takes nothing away from it
    if (!free_.empty()) {
      memory = std::move(free_.back());
      free_.pop_back();
    }
    if (memory.bytes() < bytes) {
      memory = {};  // before the new one, so that never both are there
      memory = Memory(bytes);
    }
    return memory;
  }

  void give_back(Memory memory) {
    if (memory.bytes() > 0) free_.push_back(std::move(memory));
  }

 private:
  std::vector<Memory> free_;
};

// A buffer of the pool, for one run.
class Scratch {
 public:
  Scratch(std::shared_ptr<ScratchPool> pool, std::size_t bytes)
      : pool_(std::move(pool)), memory_(pool_->take(bytes)) {}
  ~Scratch() { pool_->give_back(std::move(memory_)); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  char* data() const { return memory_.data(); }

 private:
  std::shared_ptr<ScratchPool> pool_;
  Memory memory_;
};

// Runs the calls [first, last) without the GIL, until a signal's handler raises: then false, with
// Python's error set. Seen between two calls, and between the tasks of a long one.
bool run_until_a_signal(const std::vector<Owning>& calls, std::size_t first, std::size_t last,
                        char* scratch) {
  WithoutGil others_run;
  Watch watch([](void* gil) { return static_cast<WithoutGil*>(gil)->handler_has_raised(); },
              &others_run);
  for (std::size_t next = first; next < last && !watch.look(); ++next) {
    calls[next].call.run(scratch);
  }
  return !watch.given_up();
}

void run(const std::string& kernel, const py::sequence& reads, const py::sequence& writes,
         const py::dict& attributes) {
  const std::vector<Owning> calls{prepare(kernel, reads, writes, attributes)};
  const Scratch scratch(ScratchPool::shared(), calls[0].call.scratch_bytes);
  if (!run_until_a_signal(calls, 0, 1, scratch.data())) throw py::error_already_set();
}

// Set while it lives.
class Flag {
 public:
  explicit Flag(bool& flag) : flag_(flag) { flag_ = true; }
  ~Flag() { flag_ = false; }
  Flag(const Flag&) = delete;
  Flag& operator=(const Flag&) = delete;

 private:
  bool& flag_;
};

// A list of prepared calls that runs as one. It keeps its arrays alive. Not for two threads at
// once: its arrays are shared.
class __attribute__((visibility("hidden"))) Program {
 public:
  // steps: (kernel, reads, writes, attributes) each; from number `commit` on they change what
  // outlasts a run. The programs of one `store`, which may be null, run in turn.
  Program(const py::list& steps, std::size_t commit, KeptWeightsStore* store) : commit_(commit) {
    for (const py::handle step : py::tuple(steps)) {
      const auto [kernel, reads, writes, attributes] = parts(step);
      steps_.push_back(prepare(kernel, reads, writes, attributes, store));
      scratch_bytes_ = std::max(scratch_bytes_, steps_.back().call.scratch_bytes);
    }
  }

  // Runs the calls [first, last). Ctrl-C gives up those before `commit`; what comes from there on
  // belongs together. At the same `version` parameters are the same; 0 says nothing.
  void run(std::size_t first, std::size_t last, std::uint64_t version) {
    if (first > last || last > steps_.size()) throw py::index_error("no such steps");
    if (running_) throw std::runtime_error("this program is running already, in another thread");
    const Flag running(running_);
    const WeightsVersion known(version);
    const Scratch scratch(pool_, scratch_bytes_);
    const std::size_t sure = std::clamp(commit_, first, last);
    if (first < sure && !run_until_a_signal(steps_, first, sure, scratch.data())) {
      throw py::error_already_set();
    }
    if (sure == last) return;
    const WithoutGil others_run;
    for (std::size_t next = sure; next < last; ++next) steps_[next].call.run(scratch.data());
  }

  std::size_t size() const { return steps_.size(); }

 private:
  using Parts = std::tuple<std::string, py::sequence, py::sequence, py::dict>;

  static Parts parts(const py::handle& step) {
    try {
      return step.cast<Parts>();
    } catch (const py::cast_error&) {
      throw py::type_error("a step must be (kernel, reads, writes, attributes)");
    }
  }

  std::vector<Owning> steps_;
  std::size_t commit_;
  std::shared_ptr<ScratchPool> pool_ = ScratchPool::shared();
  std::size_t scratch_bytes_ = 0;
  bool running_ = false;  // read and written with the GIL held
};

std::vector<std::string> kernel_names() {
  std::vector<std::string> names;
  for (const auto& [kernel, _] : registry()) names.push_back(kernel);
  return names;
}

}  // namespace
}  // namespace minicnn

PYBIND11_MODULE(_core, m) {
  using namespace minicnn;
  using namespace py::literals;
  num_threads();  // what happens at a fork is settled before there are threads to fork beside
  m.def("kernels", &kernel_names, "Names of the kernels that this engine has.");
  m.def("run", &run, "kernel"_a, "reads"_a, "writes"_a, "attributes"_a);
  m.def("isa", [] { return name(best_isa()); }, "The instruction set in use.");
  m.def("num_threads", &num_threads);
  m.def("set_num_threads", &set_num_threads, "threads"_a);
  // Made by a function alone: a class could be asked for an instance that no constructor has seen.
  const auto no_instances = [](PyHeapTypeObject* type) {
    type->ht_type.tp_flags |= Py_TPFLAGS_DISALLOW_INSTANTIATION;
  };
  m.def("WeightsStore", [] { return std::make_unique<KeptWeightsStore>(); });
  py::class_<KeptWeightsStore>(m, "KeptWeightsStore", py::custom_type_setup(no_instances))
      .def("__len__", &KeptWeightsStore::size);
  m.def(
      "Program",
      [](const py::list& steps, std::optional<std::size_t> commit, KeptWeightsStore* store) {
        return std::make_unique<Program>(steps, commit.value_or(steps.size()), store);
      },
      "steps"_a, "commit"_a = py::none(), "store"_a = nullptr);
  py::class_<Program>(m, "PreparedProgram", py::custom_type_setup(no_instances))
      .def("run", &Program::run, "first"_a, "last"_a, "version"_a = 0)
      .def("__len__", &Program::size);
}
