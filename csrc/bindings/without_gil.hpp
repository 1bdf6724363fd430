#pragma once

#include <pybind11/pybind11.h>
#include <unistd.h>

namespace minicnn {

// While it lives, other Python threads run. In place of pybind11's gil_scoped_release, with which
// a daemon thread that comes back from a kernel while Python shuts down ends the whole process:
// Python unwinds such a thread, and a destructor must not be unwound. Here it waits for the end.
class WithoutGil {
 public:
  WithoutGil() : state_(PyEval_SaveThread()) {}
  ~WithoutGil() { take_it(); }
  WithoutGil(const WithoutGil&) = delete;
  WithoutGil& operator=(const WithoutGil&) = delete;

  // Takes the GIL for a moment, in which Python handles signals. True if a handler has raised: the
  // error is set, to be thrown once the GIL is here again.
  bool handler_has_raised() {
    take_it();
    const bool raised = PyErr_CheckSignals() != 0;
    state_ = PyEval_SaveThread();
    return raised;
  }

 private:
  void take_it() {
    try {
      PyEval_RestoreThread(state_);
    } catch (...) {
      while (true) pause();
    }
  }

  PyThreadState* state_;
};

}  // namespace minicnn
