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
#include "bindings/gil_release.hpp"
#include "core/cancellation.hpp"
#include "core/isa.hpp"
#include "core/memory.hpp"
#include "core/parallel.hpp"
#include "kernels/conv2d/weight_cache.hpp"

namespace minicnn {
namespace {

const std::map<std::string, Kernel>& registry() {
  static const std::map<std::string, Kernel> all = [] {
    std::map<std::string, Kernel> kernels;
    for (auto topic : {conv2d_kernels, dense_kernels, pool_kernels, activation_kernels,
                       norm_kernels, fold_kernels, group_norm_kernels, image_kernels,
                       elementwise_kernels, loss_kernels, optimizer_kernels, augment_kernels,
                       tensor_axis_kernels, tensor_value_kernels, upsample_kernels}) {
      for (const Kernel& kernel : topic()) kernels.emplace(kernel.name, kernel);
    }
    return kernels;
  }();
  return all;
}

// A prepared call, and the Python objects that own the memory it uses.
struct OwnedCall {
  Prepared call;
  std::vector<py::object> owners;
};

OwnedCall prepare(const std::string& kernel, const py::sequence& reads, const py::sequence& writes,
                  const py::dict& attributes, TransformedWeightCache* weight_cache = nullptr) {
  const auto found = registry().find(kernel);
  if (found == registry().end()) throw py::key_error("no native kernel \"" + kernel + "\"");
  const Call call(kernel, reads, writes, attributes, weight_cache);
  return {found->second.prepare(call), call.owners()};
}

// Scratch memory for kernels: buffers that grow when needed and are reused by later runs. One
// buffer is enough for all programs of a process, unless they run in several threads at once. The
// pool is destroyed with the last program. All methods must be called with the GIL held.
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
    if (bytes == 0) return memory;  // must not take a buffer from a program in another thread
    if (!free_.empty()) {
      memory = std::move(free_.back());
      free_.pop_back();
    }
    if (memory.bytes() < bytes) {
      memory = {};  // freed first, so that both never exist at once
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

// A buffer that is borrowed from the pool for one run.
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

// Runs the calls [first, last) without the GIL. If a signal handler raises an exception, the calls
// are cancelled, between two calls or between the tasks of a long one; then returns false, with
// Python's error set.
bool run_unless_cancelled(const std::vector<OwnedCall>& calls, std::size_t first, std::size_t last,
                          char* scratch) {
  GilRelease gil_release;
  Cancellation cancellation(
      [](void* gil) { return static_cast<GilRelease*>(gil)->signal_handler_raised(); },
      &gil_release);
  for (std::size_t next = first; next < last && !cancellation.poll(); ++next) {
    calls[next].call.run(scratch);
  }
  return !cancellation.cancelled();
}

void run(const std::string& kernel, const py::sequence& reads, const py::sequence& writes,
         const py::dict& attributes) {
  const std::vector<OwnedCall> calls{prepare(kernel, reads, writes, attributes)};
  const Scratch scratch(ScratchPool::shared(), calls[0].call.scratch_bytes);
  if (!run_unless_cancelled(calls, 0, 1, scratch.data())) throw py::error_already_set();
}

// Sets a flag while alive.
class ScopedFlag {
 public:
  explicit ScopedFlag(bool& flag) : flag_(flag) { flag_ = true; }
  ~ScopedFlag() { flag_ = false; }
  ScopedFlag(const ScopedFlag&) = delete;
  ScopedFlag& operator=(const ScopedFlag&) = delete;

 private:
  bool& flag_;
};

// A list of prepared calls that run as one, and that keep their arrays alive. It must not run in
// two threads at once, which would share its arrays.
class __attribute__((visibility("hidden"))) Program {
 public:
  // Each step is (kernel, reads, writes, attributes). The steps from index `commit` on change
  // arrays that outlive a run, such as parameters. Programs that share a `weight_cache`, which may
  // be null, must not run at the same time.
  Program(const py::list& steps, std::size_t commit, TransformedWeightCache* weight_cache)
      : commit_(commit) {
    for (const py::handle step : py::tuple(steps)) {
      const auto [kernel, reads, writes, attributes] = parts(step);
      steps_.push_back(prepare(kernel, reads, writes, attributes, weight_cache));
      scratch_bytes_ = std::max(scratch_bytes_, steps_.back().call.scratch_bytes);
    }
  }

  // Runs the steps [first, last). Ctrl-C cancels the steps before `commit`; those from `commit` on
  // always run to the end. At the same non-zero `version` the parameters are unchanged.
  void run(std::size_t first, std::size_t last, std::uint64_t version) {
    if (first > last || last > steps_.size())
      throw py::index_error("the program has no such steps");
    if (running_) throw std::runtime_error("the program is already running in another thread");
    const ScopedFlag running(running_);
    const ScopedWeightsVersion parameters(version);
    const Scratch scratch(pool_, scratch_bytes_);
    const std::size_t commit = std::clamp(commit_, first, last);
    if (first < commit && !run_unless_cancelled(steps_, first, commit, scratch.data())) {
      throw py::error_already_set();
    }
    if (commit == last) return;
    const GilRelease gil_release;
    for (std::size_t next = commit; next < last; ++next) steps_[next].call.run(scratch.data());
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

  std::vector<OwnedCall> steps_;
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
  num_threads();  // registers the fork handler before there are any threads
  m.def("kernels", &kernel_names, "Return the names of the engine's kernels.");
  m.def("run", &run, "kernel"_a, "reads"_a, "writes"_a, "attributes"_a);
  m.def("isa", [] { return name(best_isa()); }, "Return the instruction set that kernels use.");
  m.def("num_threads", &num_threads);
  m.def("set_num_threads", &set_num_threads, "threads"_a);
  // Instances are made by functions only: Python could otherwise make one without its constructor.
  const auto no_instances = [](PyHeapTypeObject* type) {
    type->ht_type.tp_flags |= Py_TPFLAGS_DISALLOW_INSTANTIATION;
  };
  m.def("WeightCache", [] { return std::make_unique<TransformedWeightCache>(); });
  py::class_<TransformedWeightCache>(m, "TransformedWeightCache",
                                     py::custom_type_setup(no_instances))
      .def("__len__", &TransformedWeightCache::size);
  m.def(
      "Program",
      [](const py::list& steps, std::optional<std::size_t> commit,
         TransformedWeightCache* weight_cache) {
        return std::make_unique<Program>(steps, commit.value_or(steps.size()), weight_cache);
      },
      "steps"_a, "commit"_a = py::none(), "weight_cache"_a = nullptr);
  py::class_<Program>(m, "PreparedProgram", py::custom_type_setup(no_instances))
      .def("run", &Program::run, "first"_a, "last"_a, "version"_a = 0)
      .def("__len__", &Program::size);
}
