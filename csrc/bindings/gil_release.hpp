#pragma once

#include <pybind11/pybind11.h>
#include <unistd.h>

namespace minicnn {

// Releases the GIL while alive, so that other Python threads run. It replaces pybind11's
// gil_scoped_release, with which a daemon thread that returns from a kernel while Python shuts down
// ends the whole process: Python unwinds the stack of such a thread, which must not happen inside a
// destructor. Here such a thread sleeps until the process ends.
class GilRelease {
 public:
  GilRelease() : state_(PyEval_SaveThread()) {}
  ~GilRelease() { reacquire(); }
  GilRelease(const GilRelease&) = delete;
  GilRelease& operator=(const GilRelease&) = delete;

  // Reacquires the GIL for a moment so that Python runs signal handlers. Returns whether a handler
  // has raised an exception: Python's error is then set, to be thrown once the GIL is held again.
  bool signal_handler_raised() {
    reacquire();
    const bool raised = PyErr_CheckSignals() != 0;
    state_ = PyEval_SaveThread();
    return raised;
  }

 private:
  void reacquire() {
    try {
      PyEval_RestoreThread(state_);
    } catch (...) {
      while (true) pause();
    }
  }

  PyThreadState* state_;
};

}  // namespace minicnn
