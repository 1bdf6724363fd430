# Parts of .ci/run: the engine under AddressSanitizer and UndefinedBehaviorSanitizer.

# Without OpenMP, whose runtime the sanitizers cannot see into. libstdc++ must be preloaded as well, or
# every C++ exception ends the process.
sanitized() {
  LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libstdc++.so)" \
    ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1 \
    PYTHONMALLOC=malloc PYTHONPATH="$work/sanitized" "$@"
}

build_with_sanitizers() {
  python -m pip uninstall -q -y minicnn-engine  # an editable install would be found first
  python -m pip install -q cmake ninja pybind11
  cmake -S . -B "$work/sanitized-build" -G Ninja -DCMAKE_BUILD_TYPE=Debug \
    -DMINICNN_SANITIZE=ON -DMINICNN_OPENMP=OFF -DPython_EXECUTABLE="$(command -v python)" \
    -Dpybind11_DIR="$(python -m pybind11 --cmakedir)" > "$work/cmake.log"
  cmake --build "$work/sanitized-build" > "$work/build.log" || { cat "$work/build.log"; return 1; }
  mkdir "$work/sanitized"
  cp -r minicnn tests pyproject.toml conftest.py "$work/sanitized"
  rm -f "$work"/sanitized/minicnn/_core*.so
  cp "$work"/sanitized-build/_core*.so "$work/sanitized/minicnn"
  cp "$work"/sanitized-build/seeded_bug*.so "$work/sanitized"
}

# A net that catches nothing proves nothing.
sanitizers_catch_seeded_bugs() {
  build_with_sanitizers
  must_report 'heap-buffer-overflow' 'read_past(numpy.zeros(1000, numpy.float32))'
  must_report 'heap-buffer-overflow' 'write_before(numpy.zeros(1000, numpy.float32))'
  must_report 'heap-use-after-free' 'use_after_free()'
  must_report 'signed integer overflow' 'signed_overflow(1)'
  must_report 'misaligned address' 'misaligned(numpy.zeros(1000, numpy.uint8))'
  must_report 'outside the range of representable values' 'out_of_range(1e99)'
}

# must_report WORDS CALL: the call must end the process with a report that has these words.
must_report() {
  if sanitized python -c "import numpy, seeded_bug; seeded_bug.$2" > "$work/report" 2>&1 ||
    ! grep -q "$1" "$work/report"; then
    cat "$work/report"
    echo "seeded_bug.$2: no report of $1"
    return 1
  fi
  echo "caught: $1 in $2"
}

# All but what it cannot change, and what cannot be here: tests of the folders that are not in the
# copy, of a processor's own memory guard, which the sanitizer takes over, and of how long hostile
# files take.
suite_under_sanitizers() {
  local left_out
  left_out=$(ignored "${without_kernels[@]}" layering example_lenet thread_pool guard_pages \
    hostile_files benchmark_networks ops_functions huge_integers keras_layers keras_image_layers \
    keras_normalization keras_optimizers keras_training applications)
  cd "$work/sanitized"
  sanitized python -c "import minicnn._core as core; print(core.__file__, core.isa())" |
    grep "^$work/sanitized/"
  sanitized python -m pytest -q -n 2 --dist loadfile -p no:cacheprovider -m "slow or not slow" \
    tests $left_out
  cd "$checkout"
}
