#!/usr/bin/env bash
# Builds the release and runs every benchmark; one JSON object a line in build/bench.ndjson, one table in build/bench.txt.
# Options are passed on: tools/bench.sh --seconds 5 --history-gb 1
set -euo pipefail
cd "$(dirname "$0")/.."
tools/install_packages.sh build
[ -f build/release/build.ninja ] || cmake --preset release -DMILLRACE_TESTS=OFF >&2
cmake --build --preset release --target millrace >&2
mkdir -p build/bench
build/release/bin/millrace bench all --output json --directory build/bench "$@" | tee build/bench.ndjson >&2
tools/bench_table.py build/bench.ndjson | tee build/bench.txt
