# Parts of .ci/run: what a user types, style, instruction sets, a machine without a compiler.

# Tracked and new files, as they are now; no build product comes along.
copy_the_checkout() {
  mkdir "$checkout"
  git -c safe.directory='*' -C "$repository" ls-files -z --cached --others --exclude-standard |
    tar -C "$repository" --null --ignore-failed-read -T - -cf - | tar -C "$checkout" -xf -
  cd "$checkout"
  echo "$(find . -type f | wc -l) files in $checkout"
}

make_a_virtual_environment() {
  python3 -m venv "$work/venv"
  export PATH=$work/venv/bin:$PATH
  python --version
  g++ --version | head -1
}

# What Qt needs to show a window, on a screen or not: without it, tests would have to be skipped.
libraries_for_the_window() {
  local packages
  packages=$(sed -n 's/^DEBIAN_PACKAGES = "\(.*\)"$/\1/p' minicnn/apps/cli/gui.py)
  echo "$packages"
  if has_libraries_for_the_window; then return; fi
  # shellcheck disable=SC2086  # a list of words
  apt_install $packages
  has_libraries_for_the_window
}

apt_get() {
  local as_root=()
  ((EUID == 0)) || as_root=(sudo -n)
  "${as_root[@]}" apt-get -q "$@" > "$work/apt.log" 2>&1
}

# apt_install PACKAGE...: with a fresh list of packages if the one that is here is too old.
apt_install() {
  apt_get install -y --no-install-recommends "$@" ||
    { apt_get update && apt_get install -y --no-install-recommends "$@"; } ||
    { cat "$work/apt.log"; echo "as root: apt update && apt install $*"; return 1; }
}

# The C++ is compiled for both commands of the README and for a wheel. ccache compiles it once.
compiler_cache() {
  if command -v ccache > /dev/null || apt_install ccache; then
    export CCACHE_DIR=$work/ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
    ccache --version | head -1
  else
    echo "without it the parts that compile take longer"
  fi
}

# Chromium, in which the pages of `minicnn serve` are tested.
browser() {
  command -v chromium > /dev/null || apt_install chromium
  chromium --version
}

has_libraries_for_the_window() {
  local library known
  known=$(ldconfig -p)
  for library in EGL GL glib-2.0 fontconfig xkbcommon dbus-1; do
    [[ $known == *"lib$library.so."* ]] || { echo "lib$library is missing"; return 1; }
  done
}

# readme_command N: the N-th fenced block of shell commands, word for word.
readme_command() {
  awk -v wanted="$1" '
    /^```sh$/ { inside = ++block == wanted; next }
    /^```$/   { inside = 0 }
    inside' README.md
}

# Short: one epoch. The objects of the C++ compiler stay for the next part.
first_command_of_the_README() {
  local command
  command=$(readme_command 1)
  echo "\$ $command --epochs 1"
  SKBUILD_BUILD_DIR=$work/objects bash -euo pipefail -c "$command --epochs 1"
}

second_command_of_the_README() {
  local command
  command=$(readme_command 2)
  echo "\$ $command"
  bash -euo pipefail -c "$command"
}

# The tests that start two processes ran with all others. Here is what a user sees of them, with the
# Open MPI of the extra.
several_processes() {
  local found
  found=$(python -m minicnn doctor --mpi)
  echo "$found"
  [[ $found == *"all have minicnn"* && $found != *"! "* ]]
}

# What `pytest` leaves out.
slow_tests() {
  python -m pytest -m slow -n 2 --dist loadfile
}

# Files for one instruction set are compiled with its flags, the others without. One instruction of
# the wrong kind, or one function of a header compiled with such flags and kept for all, would be
# an illegal instruction on an older processor.
no_wide_instruction_in_a_baseline_object() {
  local object wide baseline=0 special=0
  while IFS= read -r object; do
    wide=$(wide_instructions "$object")
    if [[ $object == *_avx* ]]; then
      special=$((special + 1))
      ((wide > 0)) || { echo "$object has no AVX: this check sees nothing"; return 1; }
      ! shared_functions "$object" || { echo "$object has functions that others may get"; return 1; }
    else
      baseline=$((baseline + 1))
      ((wide == 0)) || { echo "$object has $wide AVX instructions"; return 1; }
    fi
  done < <(find "$work/objects" -name '*.o')
  echo "$baseline baseline objects, $special with AVX"
  ((baseline > 0 && special > 0)) || [[ $(uname -m) != x86_64 ]]
}

# VEX and EVEX mnemonics begin with v; the handful of older ones that do are not made by compilers.
wide_instructions() {
  objdump -d --no-show-raw-insn "$1" | grep -cE '^ +[0-9a-f]+:\s+v[a-z]' || true
}

# Weak or unique symbols: the linker keeps one copy, which may be the one with AVX.
shared_functions() {
  nm -C --defined-only "$1" | grep -E ' [WVu] '
}

style_and_types() {
  ruff check .
  ruff format --check .
  mypy
  find csrc tests -name '*.[ch]pp' -print0 | xargs -0 clang-format --dry-run -Werror
  echo "clang-format: no difference"
}

# Tests of what is not C++: folders of images, files of other programs, the command line, runs,
# comparisons, drawings, examples, searches, libraries of pictures, pages, CUDA kernels. The second command of the README ran
# them; neither an instruction set nor a sanitizer changes them.
without_kernels=(
  activations agreement architecture benchmark_gpu benchmark_scaling blocks build_backend built_by_hand caffe caffe_files
  calibration callbacks cifar10 classic cli cli_convert cli_data cli_explain cli_explore cli_index
  cli_lesson cli_outputs cli_search cli_serve cli_sort cli_sort_learn cli_tune comparison continual course
  cross_validation cross_validation_failures cuda_conv2d cuda_errors cuda_fallback
  cuda_kernels cuda_plan cuda_ptx cuda_reductions cuda_simulator cuda_training cuda_updates
  data_tools dataframe dataset devices distributed_faults distributed_runs distributed_training docs doctor doctor_mpi examples exchange experiment explain
  explore_browser explore_modules explore_training_browser explorer_changes
  explorer_finite_differences explorer_numbers explorer_opening explorer_passes
  explorer_training explorer_training_blocks explorer_training_parts
  fetch files find_images fit_checks fit_data fold_images folders folds generator
  gui_command history hostile_keras_files hostile_models image_functions images installed
  interrupt keras2 keras_backend keras_callback_arguments keras_callbacks keras_data
  keras_files keras_histories keras_initializers keras_metrics keras_signatures_of_losses
  layer_parts layouts learning lessons library_approximate library_duplicates library_extractors
  library_indexing library_kills library_opening library_scanning library_searching
  library_verifying losses main_process many_steps metrics model_as_layer model_in_use model_pictures
  mutated_files names no_replace onnx_hostile onnx_node_tests onnx_reader onnx_round_trip
  onnx_writer own_classes own_losses own_rows parts penalties place plain_pickle precision predict_images
  preprocess pretrained preview published_datasets py_dataset regularizers rank_kills rename reprs
  resume robustness robustness_command run_calibration runs schedules settings shared_work site
  sorter_applying sorter_faults sorter_finding sorter_planning sorter_undoing split_copy
  starting subclassing suite tar tensor_cores text torch train_kills transfer tune tune_postgres tune_study
  tune_processes tune_record tune_report tune_space unreadable upright utils
  web_accessibility web_addresses web_api web_browser web_explore_api web_explore_training
  web_hostile_queries web_imagenet
  web_keywords web_library web_pages web_pictures web_requests web_static_files web_uploads
  window window_interrupted window_learning window_options window_preview window_start
  window_texts window_thumbnails zoo_weights
)

# ignored NAME...: pytest's options that leave tests/test_NAME.py out. Each must exist.
ignored() {
  local name
  for name in "$@"; do
    ls "$checkout/tests/test_$name.py" > /dev/null || return
    printf -- '--ignore=tests/test_%s.py ' "$name"
  done
}

# The second command ran the suite at the best level of this processor. Left out here is also what
# is about files, processes, threads and figures.
lower_instruction_sets() {
  local best level blind
  blind=$(ignored "${without_kernels[@]}" archive benchmark_networks example_lenet figures \
    hostile_files idx layering mnist process progress saving thread_pool)
  best=$(python -c 'from minicnn import _core; print(_core.isa())')
  echo "the suite has run on $best"
  for level in generic avx2 avx512; do
    [[ $level != "$best" ]] || break
    echo "MINICNN_ISA=$level"
    MINICNN_ISA=$level python -m pytest -q -n 2 --dist loadfile -m "slow or not slow" $blind
  done
}

# Warnings are errors. Chapters of the course are executed; a cell that fails ends the build.
documentation_site() {
  python -m sphinx -q -W --keep-going -j 2 docs build/docs
  python tools/check_site.py build/docs
}

# For every usual Python that is here; the others are named.
wheels() {
  python tools/build_wheels.py --out "$work/wheels"
}

# The install must succeed, and say what is missing and how to get it.
install_without_a_compiler() {
  python3 -m venv "$work/bare"
  CXX=/bin/false "$work/bare/bin/python" -m pip install -q .
  cd "$work"
  unset_required "$work/bare/bin/python" -c '
import minicnn as mc
assert mc.available_backends() == ["numpy"], mc.available_backends()
mc.zoo.lenet().predict(mc.datasets.mnist.load_data()[1][0][:2, ..., None], verbose=0)
' 2> "$work/warning"
  cat "$work/warning"
  grep -q 'RuntimeWarning: minicnn computes with NumPy alone.*apt install g++' "$work/warning"
  cd "$checkout"
}

unset_required() {
  env -u MINICNN_REQUIRE "$@"
}
