#!/usr/bin/env bash
# A server on this machine with example data: tools/run_local.sh start|gateway|schema|stop|status
#   start    installs, builds, starts on 127.0.0.1:8080 with data in ./data, loads the examples once, says what to try
#   gateway  a node that takes events in and serves reads, without a processor: SQL over views answers `unavailable`
#   schema   a schema registry alone, on 127.0.0.1:8081, until ctrl-C; MILLRACE_PORT chooses another port
#   stop     ends it cleanly; the data stays
# MILLRACE_PORT and MILLRACE_DATA choose another port and directory. Run again, it is quick and keeps the data.
set -euo pipefail
cd "$(dirname "$0")/.."
port=${MILLRACE_PORT:-8080}
data=${MILLRACE_DATA:-./data}
url=http://127.0.0.1:$port
bin=build/release/bin/millrace
pid_file=$data/server.pid
log_file=$data/server.log

say() { echo "$*" >&2; }

running() { [ -f "$pid_file" ] && kill -0 "$(cat "$pid_file")" 2>/dev/null && [ "$(ps -o comm= -p "$(cat "$pid_file")")" = millrace ]; }

build() {
  tools/install_packages.sh build
  mkdir -p build
  if [ ! -f build/release/build.ninja ]; then
    cmake --preset release -DMILLRACE_TESTS=OFF >build/.configure.log 2>&1 || { cat build/.configure.log >&2; exit 1; }
  fi
  cmake --build --preset release --target millrace >&2
}

start_server() {
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    say "Port $port is in use by another program. Choose another one: MILLRACE_PORT=8081 make run-local"
    exit 1
  fi
  mkdir -p "$data"
  setsid nohup "$bin" serve --data "$data" --http "127.0.0.1:$port" "$@" </dev/null >/dev/null 2>>"$log_file" &
  echo $! >"$pid_file"
  wait_ready
}

wait_ready() {
  for _ in $(seq 600); do
    if curl -fsS -o /dev/null "$url/readyz" 2>/dev/null; then return; fi
    if ! running; then
      say "The server did not start. Its last words ($log_file):"
      tail -20 "$log_file" >&2
      rm -f "$pid_file"
      exit 1
    fi
    sleep 0.1
  done
  say "The server is not ready after a minute; it may still be recovering. Look at $log_file, or ask $url/readyz."
  exit 1
}

# The mark is written after everything went in. A run that died half-way feeds again with the same idempotency keys.
load_examples() {
  "$bin" sql --server "$url" -f examples/quickstart.sql >/dev/null
  if [ -f "$data/examples.loaded" ]; then return; fi
  "$bin" produce earthquakes examples/usgs-earthquakes-week.ndjson --server "$url" --idempotency-prefix example-quakes
  "$bin" produce flights examples/us-flights-2001-q1.ndjson --server "$url" --idempotency-prefix example-flights
  touch "$data/examples.loaded"
}

next_commands() {
  local at=""
  [ "$port" = 8080 ] || at=" --server $url"
  cat <<TXT

Millrace runs on $url (process $(cat "$pid_file"), data in $data, log in $log_file). Try:

  $bin sql$at -c 'SELECT * FROM quakes_per_hour ORDER BY quakes DESC LIMIT 5'
  $bin sql$at -c 'SUBSCRIBE TO strong_quakes'                    # in a second terminal; ctrl-C ends it
  curl -s $url/v1/streams/earthquakes/events -H 'Content-Type: application/json' \\
    -d '{"id":"mine1","time":"2018-02-07T01:00:00Z","mag":5.1,"place":"here","net":"me","depth_km":7}'
  $bin consume$at strong_quakes --from start --limit 3

Stop it: tools/run_local.sh stop        (the data stays; make run-local starts it again)
TXT
}

gateway_commands() {
  cat <<TXT

A gateway runs on $url (process $(cat "$pid_file"), data in $data, log in $log_file): it takes events in and serves streams.
  curl -s '$url/v1/streams/earthquakes/events?from=start&limit=3'
  $bin sql -c 'SELECT * FROM quakes_per_hour' --server $url       # answers: unavailable, no processor on this node

Stop it: tools/run_local.sh stop
TXT
}

case "${1:-start}" in
  start)
    build
    if running; then say "It is running already."; wait_ready; else start_server; fi
    load_examples
    next_commands
    ;;
  gateway)
    build
    if running; then
      say "A server runs already on $data (process $(cat "$pid_file")). Stop it first: tools/run_local.sh stop"
      exit 1
    fi
    start_server --gateway-only
    gateway_commands
    ;;
  schema)
    build
    exec "$bin" serve --services=schema-registry --data "$data" --schema-registry "127.0.0.1:${MILLRACE_PORT:-8081}"
    ;;
  stop)
    running || { say "Nothing runs on $data."; exit 0; }
    pid=$(cat "$pid_file")
    kill -TERM "$pid"
    for _ in $(seq 300); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    if kill -0 "$pid" 2>/dev/null; then say "Process $pid does not end; see $log_file."; exit 1; fi
    rm -f "$pid_file"
    say "Stopped. The data stays in $data."
    ;;
  status)
    if running; then say "Running, process $(cat "$pid_file"), $url"; else say "Not running."; exit 1; fi
    ;;
  *)
    say "usage: tools/run_local.sh start|gateway|schema|stop|status"
    exit 2
    ;;
esac
