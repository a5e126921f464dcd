#!/usr/bin/env python3
"""Reading a stream in every way that the HTTP API has, and the pages about the server itself."""
import contextlib
import hashlib
import http.client
import json
import os
import re
import threading
import time

from harness import Refused, free_port, main


def started(test, **kwargs):
    server = test.server(**kwargs).start()
    server.sql("CREATE STREAM s (id BIGINT, name TEXT) WITH (key = 'name', partitions = 2)")
    return server


def feed(server, ids):
    return server.produce("s", [{"id": i, "name": f"n{i % 7}"} for i in ids])


def ids_of(body):
    return [json.loads(line)["id"] for line in body.splitlines()]


class Live:
    """A client of server-sent events, as a browser's EventSource: it knows the id of the last whole block."""

    def __init__(self, server, target, last_id=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last_id} if last_id else {})}
        self.connection.request("GET", target, None, headers)
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200, self.answer.read()
        assert self.answer.headers["Content-Type"] == "text/event-stream"
        self.last_id = last_id

    def events(self):
        block = {}
        while line := self.answer.readline():
            line = line.decode().rstrip("\n")
            if line:
                name, _, value = line.partition(": ")
                block[name] = value
                continue
            self.last_id = block.get("id", self.last_id)
            if "data" in block:
                yield block
            block = {}

    def take(self, count):
        events = self.events()
        return [json.loads(next(events)["data"]) for _ in range(count)]

    def close(self):
        self.answer.close()
        self.connection.close()


def pages(test):
    server = started(test)
    cursors = [feed(server, range(n, n + 10))["cursor"] for n in range(0, 100, 10)]
    base = "/v1/streams/s/events"
    everything = server.events("s")
    assert sorted(e["id"] for e in everything) == list(range(100))
    for size in (1, 7, 100, 10_000):
        target, got = f"{base}?limit={size}", []
        while True:
            body, headers = server.call("GET", target)
            if not body:
                break
            assert len(body.splitlines()) <= size and headers["Content-Type"] == "application/x-ndjson"
            got += [json.loads(line) for line in body.splitlines()]
            target = f"{base}?limit={size}&from={headers['Millrace-Cursor']}"
        assert got == everything, size
    for n, cursor in enumerate(cursors):  # an answer's cursor stands behind its events
        assert sorted(ids_of(server.call("GET", f"{base}?from={cursor}")[0])) == list(range(10 * n + 10, 100))
    assert server.call("GET", f"{base}?from=end")[0] == b""
    assert len(server.call("GET", f"{base}?from=2020-01-01T00:00:00Z")[0].splitlines()) == 100
    assert server.call("GET", f"{base}?from=2100-01-01T00:00:00%2B02:00")[0] == b""
    parts = server.partitions("s", 2)
    assert sorted(e["id"] for part in parts for e in part) == list(range(100)) and all(parts)
    for number, part in enumerate(parts):
        for offset in (0, 1, len(part) - 1, len(part)):
            body, _ = server.call("GET", f"{base}?partition={number}&from={offset}")
            assert [json.loads(line) for line in body.splitlines()] == part[offset:]


def many_pages(test):
    """Over 10,000 events an answer comes in chunks, its cursor behind them."""
    server = started(test)
    for n in range(0, 30_000, 5000):
        feed(server, range(n, n + 5000))
    got = server.raw(b"GET /v1/streams/s/events?limit=25000 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    head, _, _ = got.partition(b"\r\n\r\n")
    assert b"Transfer-Encoding: chunked" in head and b"Trailer: Millrace-Cursor" in head, head
    cursor = re.search(rb"\r\n0\r\nMillrace-Cursor: (\S+)\r\n\r\n$", got).group(1).decode()
    first, _ = server.call("GET", "/v1/streams/s/events?limit=25000")
    rest, _ = server.call("GET", f"/v1/streams/s/events?limit=25000&from={cursor}")
    assert len(first.splitlines()) == 25_000
    assert sorted(ids_of(first + rest)) == list(range(30_000))
    old = server.raw(b"GET /v1/streams/s/events?limit=25000 HTTP/1.0\r\n\r\n")
    assert b"chunked" not in old and old.partition(b"\r\n\r\n")[2] == first


def live(test):
    server = started(test)
    feed(server, range(3))
    from_start = Live(server, "/v1/streams/s/events?from=start&limit=5")
    from_end = Live(server, "/v1/streams/s/events")
    one_partition = Live(server, "/v1/streams/s/events?from=0&partition=1")
    feed(server, range(3, 6))
    assert [e["id"] for e in from_start.take(5)] == [e["id"] for e in server.events("s")][:5]
    assert from_start.answer.read() == b"", "it ends at its limit"
    assert sorted(e["id"] for e in from_end.take(3)) == [3, 4, 5]
    part = server.events("s", 1)
    assert one_partition.take(len(part)) == part
    follower = Live(server, "/v1/streams/s/events")
    server.sql("DROP STREAM s")
    last = next(follower.events())
    assert last["event"] == "error" and json.loads(last["data"])["error"]["code"] == "MR-EVS-0005", last


def an_idle_follower_hears_heartbeats(test):
    server = started(test, options=["--heartbeat-seconds", "1"])
    follower = Live(server, "/v1/streams/s/events")
    lines = [follower.answer.readline() for _ in range(7)]
    assert lines[0] == b"retry: 500\n" and lines[1].startswith(b"id: "), lines
    assert lines[2:] == [b"event: begin\n", b"data:\n", b"\n", b":\n", b"\n"], lines


def following_across_kills(test):
    """By Last-Event-ID across kill -9 while events come in: no event twice, none left out, in the log's order; also for
    who was cut off before the first one."""
    server = started(test, options=["--segment-mb", "8"])
    server.address = f"127.0.0.1:{server.port}"
    base, total = "/v1/streams/s/events", 3000
    early = Live(server, base)
    assert early.answer.readline() == b"retry: 500\n" and early.answer.readline().startswith(b"id: ")
    begin = server.call("GET", f"{base}?from=end")[1]["Millrace-Cursor"]
    got, partition, late = [], [], []

    def follow(target, into, enough, last_id=None):
        while len(into) < enough:
            client = None
            with contextlib.suppress(OSError, http.client.HTTPException):
                client = Live(server, target, last_id)
                for event in client.events():
                    into.append(json.loads(event["data"])["id"])
                    if len(into) >= enough:
                        break
            if client:
                last_id = client.last_id
                client.close()
            time.sleep(0.02)

    followers = [threading.Thread(target=follow, args=arguments, daemon=True) for arguments in (
        (f"{base}?from=start", got, total), (base, late, total, begin))]
    for follower in followers:
        follower.start()

    def produce():
        for n in range(0, total, 10):
            while True:
                with contextlib.suppress(OSError, Refused, http.client.HTTPException, ValueError):
                    server.produce("s", [{"id": i, "name": f"n{i % 7}"} for i in range(n, n + 10)], key=f"k{n}")
                    break
                time.sleep(0.01)

    producer = threading.Thread(target=produce, daemon=True)
    producer.start()
    for _ in range(5):
        time.sleep(test.random.uniform(0.02, 0.25))
        server.kill()
        server.start()
    for thread in (producer, *followers):
        thread.join(60)
        assert not thread.is_alive(), (len(got), len(late))
    stored = [e["id"] for e in server.events("s")]
    assert sorted(stored) == list(range(total))
    assert got == stored and late == stored
    part = [e["id"] for e in server.events("s", 0)]
    follow(f"{base}?from=start&partition=0", partition, len(part))
    assert part and partition == part
    assert server.stop() == 0


# The text format of Prometheus, version 0.0.4, strictly.
HELP = re.compile(r"# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) ((?:[^\\\n]|\\\\|\\n)+)")
TYPE = re.compile(r"# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|summary|histogram|untyped)")
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*"'
SAMPLE = re.compile(rf"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)")


def parameters(test):
    server = started(test)

    def ask(sql, *values):
        body = json.dumps({"sql": sql, "parameters": values})
        text, _ = server.call("POST", "/v1/sql", body, {"Content-Type": "application/json"})
        return [json.loads(line) for line in text.splitlines()]

    def refused(sql, *values):
        body = json.dumps({"sql": sql, "parameters": values})
        return server.refusal("POST", "/v1/sql", body, {"Content-Type": "application/json"}).problem

    evil = "x'); DROP STREAM s; --"
    assert ask("INSERT INTO s (id, name) VALUES ($1, $2), ($3, $4)", 9007199254740993, evil, None, "n") == [
        {"status": "INSERT 0 2"}]
    assert ask("SELECT id FROM s WHERE name = $1", evil) == [{"id": 9007199254740993}]
    assert ask("SELECT name FROM s WHERE id IS NULL AND name = ANY($1) LIMIT $2", ["a", "n"], 1) == [{"name": "n"}]
    assert ask("SELECT $1::JSONB -> 'a' AS a, $2::INTEGER[] AS b, $3 AS c, $4::BOOLEAN AS d, $5::DOUBLE PRECISION AS e",
               {"a": [1]}, [1, None], 7, True, 1e-7) == [{"a": [1], "b": [1, None], "c": "7", "d": True, "e": 1e-7}]
    problem = refused("SELECT *\nFROM s WHERE id = $1", "seven")
    assert problem["code"] == "MR-SQL-0022" and "parameter $1" in problem["message"], problem
    assert (problem["span"]["line"], problem["span"]["column"]) == (2, 19), problem
    assert refused("CREATE MATERIALIZED VIEW v AS SELECT id FROM s WHERE id = $1", 1)["code"] == "MR-SQL-0005"
    done = test.cli("sql", "--server", server.url, "--output", "json", "--param", "n", "--param", "1", "-c",
                    "SELECT name FROM s WHERE name = $1 LIMIT $2")
    assert done.returncode == 0 and json.loads(done.stdout) == {"name": "n"}, done.stdout + done.stderr


def parse_metrics(text):
    """Families by name: (type, {series: value}). Whatever a strict reader would object to is an assertion."""
    assert text.endswith("\n") and "\r" not in text and "\n\n" not in text
    lines, families = text.splitlines(), {}
    name = None
    for line in lines:
        if line.startswith("# HELP "):
            name = HELP.fullmatch(line).group(1)
            assert name not in families, f"{name} comes twice"
            families[name] = [None, {}]
        elif line.startswith("#"):
            match = TYPE.fullmatch(line)
            assert match and match.group(1) == name and families[name] == [None, {}], line
            families[name][0] = match.group(2)
        else:
            match = SAMPLE.fullmatch(line)
            assert match, line
            series = match.group(1) + "{" + (match.group(2) or "") + "}"
            kind, samples = families[name]
            suffixes = {"summary": ("", "_sum", "_count"), "histogram": ("_bucket", "_sum", "_count")}.get(kind, ("",))
            assert kind and match.group(1) in [name + s for s in suffixes], line
            assert series not in samples, f"{series} comes twice"
            samples[series] = float(match.group(3))
            if kind == "counter":
                assert name.endswith("_total") and samples[series] >= 0, line
    return families


def metrics(test):
    server = started(test)
    def page():
        text = b""
        for path in ("/metrics", "/metrics/full"):
            part, headers = server.call("GET", path)
            assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
            text += part
        return parse_metrics(text.decode())

    before = page()
    server.sql("CREATE MATERIALIZED VIEW v AS SELECT name, count(*) AS n FROM s GROUP BY name; "
               "CREATE STREAM parts AS SELECT 10 / id AS part FROM s")
    feed(server, range(100))
    server.refusal("POST", "/v1/streams/s/events", "x", {"Content-Type": "application/json"})
    server.sql("SELECT * FROM v")
    follower = Live(server, "/v1/streams/s/events")
    after = page()
    follower.close()
    assert before.keys() == after.keys() and len(after) > 60
    for name, (kind, samples) in before.items():
        if kind == "counter":
            for series, value in samples.items():
                assert after[name][1][series] >= value, f"{series} went back"

    def value(name, labels=""):
        return after[name][1][f"{name}{{{labels}}}"]

    tenant = 'tenant="default"'
    assert value("millrace_ingest_events_total") == value("millrace_tenant_ingest_events_total", tenant) == 100
    assert value("millrace_tenant_refused_requests_total", tenant) == 1
    assert value("millrace_tenant_dead_letters_total", tenant) == 1  # 10 / 0
    assert (value("millrace_tenant_streams", tenant), value("millrace_tenant_views", tenant)) == (2, 1), after
    assert value("millrace_http_subscriptions") == value("millrace_stream_followers") == 1
    assert after["millrace_processing_seconds"][0] == "summary"


def health(test):
    server = started(test)
    for path, body in (("/livez", b"live\n"), ("/readyz", b"ready\n")):
        assert server.call("GET", path)[0] == body
        head = server.raw(f"HEAD {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        assert head.startswith(b"HTTP/1.1 200 OK") and head.endswith(b"\r\n\r\n"), head
        assert b"Content-Length: %d\r\n" % len(body) in head
    assert b"/v1/sql" in server.call("GET", "/")[0]


def tokens_files(test):
    """What is wrong with the file is said at the start, before the data directory is touched."""
    digest = hashlib.sha256(b"t").hexdigest()
    path, data = os.path.join(test.root, "tokens.yaml"), os.path.join(test.root, "data")
    cases = [
        ("", "no list"), ("tokens: []", "no token"), ("tokens: [x]", "lacks"), ("tokens: {a: [}", "line 1"),
        ("tokens: [{tenant: a}]", "lacks"), ("tokens: [{tenant: a, sha256: 12}]", "64 digits"),
        (f"tokens: [{{tenant: a, sha256: {'g' * 64}}}]", "hexadecimal"),
        (f"tokens: [{{tenant: a, sha256: {digest}, quota: 1}}]", "quota"),
        (f"tokens: [{{tenant: a, sha256: {digest}, events_per_s: -1}}]", "above 0"),
        (f"tokens: [{{tenant: a, sha256: {digest}, metrics: mine}}]", "metrics"),
        (f"tokens: [{{tenant: a, sha256: {digest}}}, {{tenant: b, sha256: {digest}}}]", "twice"),
    ]
    for text, word in cases:
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        done = test.cli("serve", "--data", data, "--http", "127.0.0.1:0", "--tokens", path)
        assert done.returncode == 2 and "MR-API-0032" in done.stderr and word in done.stderr, (text, done)
        assert digest not in done.stderr
    for missing in ("/there/is/nothing", test.root):
        done = test.cli("serve", "--data", data, "--http", "127.0.0.1:0", "--tokens", missing)
        assert done.returncode == 1 and "MR-API-0031" in done.stderr, done
    assert not os.path.exists(data)
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"tokens:\n  - {{tenant: a, sha256: {digest.upper()}}}\n")
    server = test.server(options=["--tokens", path])
    server.address = f"0.0.0.0:{free_port()}"  # with tokens it may be reached from elsewhere
    server.start()
    at = ["--server", server.url]
    done = test.cli("sql", *at, "-c", "SHOW STREAMS")
    assert done.returncode == 1 and "MR-API-0014" in done.stderr and "MILLRACE_TOKEN" in done.stderr, done
    done = test.cli("sql", *at, "--token", "wrong", "-c", "SHOW STREAMS")
    assert done.returncode == 1 and "MR-API-0015" in done.stderr, done
    token = os.path.join(test.root, "token")
    with open(token, "w", encoding="utf-8") as f:
        f.write("t \r\n")  # as an editor may leave it
    for way, env in ((["--token", "t"], {}), (["--token-file", token], {}), ([], {"MILLRACE_TOKEN": "t"})):
        done = test.cli("sql", *at, *way, "-c", "SHOW STREAMS", env=env)
        assert done.returncode == 0 and "dead_letters" in done.stdout, (way, done)


if __name__ == "__main__":
    main([pages, parameters, many_pages, live, an_idle_follower_hears_heartbeats, following_across_kills, metrics, health, tokens_files])
