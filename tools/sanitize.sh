#!/usr/bin/env bash
# Builds and runs tests under a sanitizer: tools/sanitize.sh asan|tsan CTEST-SELECTION...
# Only the chosen test binaries are built: the selection decides, a test's name is its target's.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
shift
tools/install_packages.sh build test
cmake --preset "$preset" -DMILLRACE_TESTS=ON >"build/.configure-$preset.log" 2>&1 || {
  cat "build/.configure-$preset.log"
  exit 1
}
mapfile -t tests < <(ctest --test-dir "build/$preset" -N "$@" | sed -n 's/^ *Test *#[0-9]*: \([^ ]*\).*/\1/p')
known=$(ninja -C "build/$preset" -t targets all | sed -n 's/^\([a-z0-9_]*\): phony$/\1/p' | sort)
# The end-to-end tests are scripts: what they start has to be built, too.
[[ "${tests[*]}" != *e2e_* ]] || tests+=(millrace)
mapfile -t targets < <(printf '%s\n' "${tests[@]}" | sort | comm -12 - <(printf '%s\n' "$known"))
if [ "${#targets[@]}" -eq 0 ] || [ -z "${targets[0]}" ]; then
  echo "no test is selected by: $*" >&2
  exit 1
fi
ninja -C "build/$preset" "${targets[@]}"
exec ctest --test-dir "build/$preset" --output-on-failure -j "$(nproc)" --timeout 900 "$@"
