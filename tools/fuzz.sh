#!/usr/bin/env bash
# Builds every fuzz target with clang and runs each for SECONDS from its corpus, as many at once as there are cores:
# tools/fuzz.sh [SECONDS] [NAME...]
# A target whose name ends in _canary holds a planted fault: it must be found, from nothing, or the others' silence
# means nothing. What is found lies in build/fuzz/found/NAME; build/fuzz/bin/NAME FILE runs it again. With
# MILLRACE_FUZZ_SEED a run takes the same inputs as another, as far as it comes.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-20}
[ $# -eq 0 ] || shift
tools/install_packages.sh build lint
mkdir -p build
cmake --preset fuzz >build/.configure-fuzz.log 2>&1 || {
  cat build/.configure-fuzz.log
  exit 1
}
if [ $# -gt 0 ]; then
  targets=("$@")
else
  mapfile -t targets < <(grep -rhoE --include=CMakeLists.txt '^ *millrace_fuzzer\([a-z0-9_]+' shared services tests |
    sed 's/.*(//' | sort -u)
fi
[ "${#targets[@]}" -gt 0 ] || { echo "there is no fuzz target" >&2; exit 1; }
ninja -C build/fuzz "${targets[@]}"

run_one() {
  local target=$1 corpus=build/fuzz/corpus/$1 found=build/fuzz/found/$1
  local seeds=tests/fuzz/corpus/$1 dict=tests/fuzz/${1%_*}.dict log=build/fuzz/$1.log
  # A parser takes little memory, whatever a length in its input says: a single allocation above 128 MB is a find.
  local options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -malloc_limit_mb=128)
  [ -z "${MILLRACE_FUZZ_SEED:-}" ] || options+=("-seed=$MILLRACE_FUZZ_SEED")
  case "$target" in
    *_canary) rm -rf "$corpus" "$found" ;;
  esac
  case "$target" in
    # A run of these is long and touches much: the default schedule's bookkeeping would take half of the time.
    journal_* | snapshot_*) options+=(-entropic=0 -len_control=0) ;;
  esac
  mkdir -p "$corpus" "$found"
  [ ! -f "$dict" ] || options+=("-dict=$dict")
  [ ! -d "$seeds" ] || options+=("$seeds")
  local failed=0 runs
  "build/fuzz/bin/$target" "$corpus" "${options[@]}" -artifact_prefix="$found/" -print_final_stats=1 >"$log" 2>&1 || failed=1
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  case "$target:$failed:$(find "$found" -name 'crash-*' | wc -l)" in
    *_canary:1:1) echo "$target: the planted fault was found, after ${runs:-0} inputs" && return ;;
    *_canary:*) echo "$target: FAILED, the planted fault was not found" ;;
    *:0:*) echo "$target: ${runs:-0} inputs, nothing found" && return ;;
    *) echo "$target: FAILED, see $found" ;;
  esac
  tail -40 "$log"
  return 1
}
export -f run_one
export seconds
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c 'run_one {}'
