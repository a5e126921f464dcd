#!/usr/bin/env python3
"""What a node says of itself: its pages by Prometheus's own tool, that no event goes unaccounted for, and that
docs/deployment/monitoring.md names what there is."""
import contextlib
import fcntl
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time

from harness import ROOT, Refused, main
from http_test import Live, parse_metrics
from tls_test import Tls

PAGES = ("/metrics", "/metrics/full")
MONITORING = os.path.join(ROOT, "docs", "deployment", "monitoring.md")
REJECTED = "millrace_ingest_rejected_events_total"
REQUESTS = "millrace_ingest_requests_total"
LATENCY = "millrace_event_latency_seconds"


def page(server, path="/metrics"):
    return parse_metrics(server.call("GET", path)[0].decode())


def total(families, name):
    return sum(families[name][1].values())


def promtool(*arguments, text=None):
    done = subprocess.run(["promtool", *arguments], input=text, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0 and not done.stderr.strip(), done.stdout.decode() + done.stderr.decode()


def check_accounts(families):
    """What came in is what was stored, rejected, kept as a dead letter, or there already."""
    parts = ("millrace_ingest_events_total", REJECTED, "millrace_ingest_duplicate_events_total",
             "millrace_ingest_dead_letters_total")
    assert total(families, "millrace_ingest_received_events_total") == sum(total(families, p) for p in parts), parts


def check_histograms(families):
    for name, (kind, series) in families.items():
        if kind != "histogram":
            continue
        last = {}
        for key, value in series.items():
            if not key.startswith(name + "_bucket"):
                continue
            labels = re.sub(r',?le="[^"]*"', "", key[len(name + "_bucket"):])
            assert value >= last.get(labels, 0), f"{key} is less than the bucket before"
            last[labels] = value
        assert last or not series
        for labels, value in last.items():
            assert series[f"{name}_count{labels}"] == value, f"{name}{labels}: the last bucket is not the count"


def busy(server):
    """Something of everything that the pages tell of."""
    server.sql("CREATE STREAM s (id BIGINT, at TIMESTAMP, WATERMARK FOR at AS at - INTERVAL '1 second'); "
               "CREATE MATERIALIZED VIEW v AS SELECT window_start, count(*) AS n FROM "
               "TUMBLE(s, at, INTERVAL '10 seconds') GROUP BY window_start EMIT ON WINDOW CLOSE; "
               "CREATE STREAM parts AS SELECT 10 / id AS part FROM s")
    follower = Live(server, "/v1/streams/s/events")
    now = time.time()
    server.produce("s", [{"id": i, "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 60))} for i in range(100)])
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        series = page(server)[LATENCY][1]
        if all(series[f'{LATENCY}_count{{stage="{stage}"}}'] for stage in ("stored", "stepped", "delivered")):
            break
        time.sleep(0.05)
    else:
        raise AssertionError(f"a stage was not measured: {series}")
    return follower


def pages_are_prometheus(test):
    server = test.server(options=["--schema-registry", "127.0.0.1:0"]).start()
    server.refusal("POST", "/v1/streams/nothing/events", "{}", {"Content-Type": "application/json"})
    follower = busy(server)
    for path in PAGES:
        text, _ = server.call("GET", path)
        promtool("check", "metrics", text=text)
        check_histograms(parse_metrics(text.decode()))
    small, full = page(server), page(server, "/metrics/full")
    follower.close()
    assert not small.keys() & full.keys(), "the two pages can be scraped together"
    assert not [key for _, series in small.values() for key in series if "tenant=" in key or "stream=" in key]
    labels = '{tenant="default",query="v"}'
    lag = full["millrace_query_watermark_lag_seconds"][1]["millrace_query_watermark_lag_seconds" + labels]
    assert 60 <= lag < 100, lag
    assert 60 <= total(small, "millrace_queries_watermark_lag_seconds") < 100
    assert small["millrace_queries"][1]['millrace_queries{state="running"}'] == 2
    assert total(small, "millrace_dead_letters_total") == 1  # 10 / 0
    assert full["millrace_stream_events_total"][1]['millrace_stream_events_total{tenant="default",stream="s"}'] == 100
    assert small[REQUESTS][1][REQUESTS + '{result="refused",reason="no_stream"}'] == 1
    for name in ("process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds",
                 "process_start_time_seconds", "millrace_build_info"):
        assert total(small, name) > 0, name
    assert total(small, "millrace_journal_sync_seconds") > 0


def nothing_is_unaccounted_for(test):
    """Senders of all kinds at once, looked at all the while, through kills; what was stored is in the log."""
    server = test.server().start()
    server.sql("CREATE STREAM s (sender BIGINT, n BIGINT) WITH (partitions = 2); "
               "CREATE STREAM c (n BIGINT) WITH (format = 'cloudevents', deduplicate = '10 minutes'); "
               "CREATE MATERIALIZED VIEW v AS SELECT sender, count(*) AS n FROM s GROUP BY sender")
    stop, sent, failures = threading.Event(), [0], []
    lock = threading.Lock()

    def send(sender):
        n = 0
        while not stop.is_set():
            n += 1
            good = [json.dumps({"sender": sender, "n": n})] * 3
            headers = {"Content-Type": "application/x-ndjson"}
            event = {"specversion": "1.0", "id": str(n // 2), "source": f"/{sender}", "type": "t", "data": {"n": n}}
            target, body = [
                ("s", good),
                ("s", good + ['{"sender": "x"}', "{", "7"]),
                ("s", good),  # with a key, and once more
                ("nothing", good),
                ("c", [json.dumps(event), json.dumps({**event, "specversion": "2"})]),
            ][n % 5]
            if n % 5 == 2:
                headers["Idempotency-Key"] = f"{sender}-{n}"
            for _ in range(2):
                try:
                    server.call("POST", f"/v1/streams/{target}/events", "\n".join(body).encode(), headers)
                    with lock:
                        sent[0] += 3 if target == "s" and n % 5 != 2 else 0
                except (Refused, OSError, ValueError):
                    pass  # killed meanwhile, or refused
                except Exception as failure:  # pylint: disable=broad-except
                    if "http.client" not in type(failure).__module__:
                        failures.append(failure)

    threads = [threading.Thread(target=send, args=(sender,), daemon=True) for sender in range(4)]
    for thread in threads:
        thread.start()
    looks = 0
    for _ in range(3):
        until = time.monotonic() + 1.0
        while time.monotonic() < until:
            check_accounts(page(server))
            looks += 1
        families = page(server)
        check_accounts(families)
        parts = [total(families, REQUESTS), total(families, "millrace_ingest_duplicate_events_total"),
                 families[REJECTED][1][REJECTED + '{reason="schema"}'],
                 families[REJECTED][1][REJECTED + '{reason="malformed"}'],
                 families[REJECTED][1][REJECTED + '{reason="cloud_event"}']]
        assert all(parts), parts
        server.kill()
        server.start()
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures and looks > 10, (failures, looks)
    stored = len(server.events("s"))
    assert stored >= sent[0] > 0, (stored, sent)
    before = total(page(server), "millrace_ingest_events_total")
    server.produce("s", [{"sender": 9, "n": 1}] * 10)
    families = page(server)
    check_accounts(families)
    assert total(families, "millrace_ingest_events_total") == before + 10 and len(server.events("s")) == stored + 10


def the_page_names_what_there_is(test):
    """The tables of the documentation and the pages: same names, same types."""
    with open(MONITORING, encoding="utf-8") as f:
        text = f.read()
    documented = dict(re.findall(r"^\| `((?:millrace|process)_[a-z_]+)` \| ([a-z]+) \|", text, re.M))
    server = Tls(test, options=["--otlp-endpoint", "http://127.0.0.1:1", "--schema-registry", "127.0.0.1:0"]).server
    there = {}
    for path in PAGES:
        there.update({name: kind for name, (kind, _) in page(server, path).items()})
    missing = {name: kind for name, kind in there.items() if documented.get(name) != kind}
    assert not missing, "not in docs/deployment/monitoring.md, or of another type:\n" + "\n".join(
        f"| `{name}` | {kind} |" for name, kind in missing.items())
    assert not documented.keys() - there.keys(), f"no such metrics: {sorted(documented.keys() - there.keys())}"
    rules = re.search(r"^```yaml\n(groups:.*?)^```", text, re.S | re.M).group(1)
    used = set(re.findall(r"\b((?:millrace|process)_[a-z_]+)", rules))
    for name in used:
        family = re.sub(r"_(bucket|count|sum)$", "", name)
        assert name in there or there.get(family) in ("histogram", "summary"), f"a rule names {name}"
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write(rules)
        file.flush()
        promtool("check", "rules", file.name)


def log_lines(server):
    with open(server.log, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def wait_for_line(server, wanted, within=20):
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        for line in log_lines(server):
            if all(re.search(pattern, line.get(key, "")) for key, pattern in wanted.items()):
                return line
        time.sleep(0.05)
    raise AssertionError(f"no such line: {wanted}\n{server.tail()}")


def logs_are_json_objects(test):
    server = test.server(options=["--log-format", "json"]).start()
    wait_for_line(server, {"component": "node", "level": "info", "message": "^listening on "})
    server.sql("CREATE STREAM s (id BIGINT)")
    server.produce("s", [{"id": 1}, {"id": "x"}])
    assert "/v1/" not in server.tail()
    os.kill(server.process.pid, signal.SIGUSR1)
    wait_for_line(server, {"message": "level is debug"})
    for _ in range(3):
        server.produce("s", [{"id": 2}])
    server.refusal("GET", "/nothing%0Aat%22all")
    wait_for_line(server, {"level": "debug", "component": "http", "message": "^GET /nothing%0Aat%22all: 400$"})
    wait_for_line(server, {"level": "debug", "component": "http", "message": "^POST /v1/streams/s/events$"})
    os.kill(server.process.pid, signal.SIGUSR1)
    wait_for_line(server, {"message": "level is info"})
    server.sql("SHOW STREAMS")
    assert sum(line["message"].startswith("POST /v1/streams/s") for line in log_lines(server)) == 1
    repeated = wait_for_line(server, {"component": "http", "message": "^POST /v1/streams/s", "time": "Z$"})
    assert set(repeated) == {"time", "level", "component", "message"}, repeated
    wait_for_line(server, {"level": "warning", "component": "ingest", "message": "^1 events were rejected: schema$"})
    deadline = time.monotonic() + 20
    while not [line for line in log_lines(server) if line.get("repeated") == 2]:
        assert time.monotonic() < deadline, server.tail()
        time.sleep(0.1)
    assert server.stop() == 0
    assert log_lines(server)[-1]["message"].startswith("stopped in ")


def a_failed_start_is_a_line(test):
    path = os.path.join(test.root, "data")
    for form in ("json", "text"):
        done = test.cli("serve", "--data", path, "--http", "0.0.0.0:0", "--log-format", form)
        lines = done.stderr.splitlines()
        code = json.loads(lines[-1])["code"] if form == "json" else lines[-2].split()[1].rstrip(":")
        assert done.returncode == 2 and code == "MR-API-0030", done


def a_log_that_nobody_reads_holds_nobody_up(test):
    server = test.server(options=["--log-level", "debug"])
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    server.start()
    server.stop()
    process = subprocess.Popen([test.binary, "serve", "--data", server.directory, "--http", "127.0.0.1:0", "--log-level",
                                "debug"], stderr=writer, stdin=subprocess.DEVNULL)
    os.close(writer)
    server.process = process
    try:
        port_file = os.path.join(server.directory, "http.port")
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, ValueError, Refused):
                with open(port_file, encoding="ascii") as f:
                    server.port = int(f.read())
                server.call("GET", "/readyz")
                break
            time.sleep(0.05)
        for n in range(1500):
            server.refusal("GET", f"/{n}{'x' * 250}")
        assert server.call("GET", "/livez")[0] == b"live\n"
        assert process.poll() is None
        got = os.read(reader, 1 << 20)
        assert got.endswith(b"\n"), "half a line"
    finally:
        os.close(reader)


if __name__ == "__main__":
    main([pages_are_prometheus, nothing_is_unaccounted_for, the_page_names_what_there_is,
          logs_are_json_objects, a_failed_start_is_a_line, a_log_that_nobody_reads_holds_nobody_up])
