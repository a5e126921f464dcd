#!/usr/bin/env bash
# How long a newcomer waits: from `git clone` to the answer to an event of their own, in seconds, step by step.
#   tools/first_run.sh [REPOSITORY]     (default: this one, as committed)
# Works in a folder of its own below TMPDIR and removes it. CCACHE_DISABLE=1 measures a machine that has built nothing yet.
set -euo pipefail
repository=${1:-$(cd "$(dirname "$0")/.." && pwd)}
work=$(mktemp -d "${TMPDIR:-/tmp}/millrace-first-run-XXXXXX")
export MILLRACE_PORT MILLRACE_DATA=$work/data
MILLRACE_PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
url=http://127.0.0.1:$MILLRACE_PORT
log=$work/log
total=0
exec 3>&2  # a step that fails has stderr in the log

finish() {
  local code=$?
  [ "$code" -eq 0 ] || tail -30 "$log" >&3
  if [ -x "$work/millrace/tools/run_local.sh" ]; then (cd "$work/millrace" && tools/run_local.sh stop) >/dev/null 2>&1 || true; fi
  rm -rf "$work"
  exit "$code"
}
trap finish EXIT

# step NAME COMMAND...
step() {
  local name=$1 from seconds
  shift
  from=$(date +%s.%N)
  "$@" >>"$log" 2>&1
  seconds=$(awk -v a="$from" -v b="$(date +%s.%N)" 'BEGIN { printf "%.1f", b - a }')
  total=$(awk -v a="$total" -v b="$seconds" 'BEGIN { printf "%.1f", a + b }')
  printf '%-36s %8s s\n' "$name" "$seconds"
}

build() {
  mkdir -p build
  cmake --preset release -DMILLRACE_TESTS=OFF && cmake --build --preset release --target millrace
}

own_event() {
  curl -fsS "$url/v1/streams/earthquakes/events" -H 'Content-Type: application/json' \
    -d '{"id":"mine","time":"2030-01-01T00:00:00Z","mag":5.1,"place":"here","net":"me"}'
}

own_answer() {
  local answer
  answer=$(build/release/bin/millrace sql --server "$url" --output csv \
    -c "SELECT quakes, strongest FROM quakes_per_hour WHERE net = 'me'")
  [[ $answer == *1,5.1* ]]
}

step 'git clone' git clone --quiet "$repository" "$work/millrace"
cd "$work/millrace"
step 'packages' tools/install_packages.sh build
step 'the build' build
step 'a server with example data' tools/run_local.sh start
step 'an event of one'\''s own' own_event
step 'its answer' own_answer
printf '%-36s %8s s\n' 'clone to answer' "$total"
