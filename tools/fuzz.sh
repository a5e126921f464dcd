#!/usr/bin/env bash
# Builds every fuzz target with clang and runs each for SECONDS from its corpus: tools/fuzz.sh [SECONDS] [NAME...]
# A target whose name ends in _canary holds a planted fault: it must be found, or the others' silence means nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-20}
[ $# -eq 0 ] || shift
tools/install_packages.sh build lint
cmake --preset fuzz >build/.configure-fuzz.log 2>&1 || {
  cat build/.configure-fuzz.log
  exit 1
}
if [ $# -gt 0 ]; then
  targets=("$@")
else
  mapfile -t targets < <(grep -rhoE --include=CMakeLists.txt 'millrace_fuzzer\([a-z0-9_]+' shared services tests |
    sed 's/.*(//' | sort -u)
fi
[ "${#targets[@]}" -gt 0 ] || { echo "there is no fuzz target" >&2; exit 1; }
ninja -C build/fuzz "${targets[@]}"

bad=0
run_one() {
  local target=$1 corpus=build/fuzz/corpus/$1 seeds=tests/fuzz/corpus/$1 found=0
  mkdir -p "$corpus" "build/fuzz/found/$target"
  [ -d "$seeds" ] || seeds=$corpus
  local dict=tests/fuzz/${1%_fuzz}.dict words=()
  [ ! -f "$dict" ] || words=("-dict=$dict")
  "build/fuzz/bin/$target" "$corpus" "$seeds" "${words[@]}" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -artifact_prefix="build/fuzz/found/$target/" -print_final_stats=1 >"build/fuzz/$target.log" 2>&1 || found=1
  local runs
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$target.log")
  case "$target:$found" in
    *_canary:1) echo "$target: the planted fault was found" ;;
    *_canary:0) echo "$target: FAILED, the planted fault was not found"; return 1 ;;
    *:0) echo "$target: ${runs:-0} inputs, nothing found" ;;
    *) echo "$target: FAILED, see build/fuzz/found/$target"; tail -40 "build/fuzz/$target.log"; return 1 ;;
  esac
}
for target in "${targets[@]}"; do
  run_one "$target" || bad=1
done
exit "$bad"
