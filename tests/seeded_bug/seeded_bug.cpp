// Six deliberate bugs, three for each sanitizer: `.ci/run` calls them in the build with sanitizers
// and fails if one is not reported. Built with the flags of _core, in that build only; not a part
// of the package.

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstdint>
#include <cstring>

namespace py = pybind11;

namespace {

using Floats = py::array_t<float, py::array::c_style>;

// A kernel that reads or writes one value too many, at either end of a NumPy array.
float read_past(const Floats& x) { return x.data()[x.size()]; }
void write_before(Floats& x) { x.mutable_data()[-1] = 1.0F; }

float use_after_free() {
  float* volatile scratch = new float[8]();
  delete[] scratch;
  return scratch[3];
}

int signed_overflow(int n) { return n + 0x7fffffff; }

// A float at an odd address.
float misaligned(const py::array_t<std::uint8_t>& bytes) {
  return *reinterpret_cast<const float*>(bytes.data() + 1);
}

int out_of_range(double x) { return static_cast<int>(x); }

}  // namespace

PYBIND11_MODULE(seeded_bug, m) {
  m.def("read_past", &read_past);
  m.def("write_before", &write_before);
  m.def("use_after_free", &use_after_free);
  m.def("signed_overflow", &signed_overflow);
  m.def("misaligned", &misaligned);
  m.def("out_of_range", &out_of_range);
}
