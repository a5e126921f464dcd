#!/usr/bin/env python3
"""ALTER STREAM … ADD COLUMN on the real binary: under load, killed in between, followed, paused, in a backup, by two who alter at once."""
import contextlib
import http.client
import json
import os
import select
import subprocess
import threading
import time

from harness import Refused, main

HEADERS = {"Content-Type": "application/sql"}


def columns(server, stream):
    return [column["name"] for column in json.loads(server.call("GET", f"/v1/streams/{stream}")[0])["columns"]]


def rows(server, text):
    return [tuple(row.values()) for row in server.sql(text)]


def event(n, **members):
    return {"k": f"k{n % 7}", "n": n, "c0": n, "c1": f"t{n}", "c2": n / 2, "c3": {"n": n}, **members}


class Load:
    """A producer that goes on until it is over or the server is killed; `acknowledged` counts what is there for sure."""

    def __init__(self, server, first):
        self.server, self.next, self.acknowledged = server, first, 0
        self.over = threading.Event()
        self.refused = None
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over.is_set():
            try:
                self.acknowledged += self.server.produce("s", [event(self.next + i) for i in range(50)])["accepted"]
            except Refused as refused:
                self.refused = refused
                return
            except (OSError, ValueError, http.client.HTTPException):
                return
            self.next += 50

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()

    def wait(self, events):
        deadline = time.monotonic() + 60
        while self.acknowledged < events:
            assert time.monotonic() < deadline and not self.refused, (self.acknowledged, self.refused)
            time.sleep(0.01)


def killed_between(test):
    """Each round adds a column under load and is killed: what was made before goes on by its own steps, replayed with the columns of its time."""
    server = test.server(workers=2, options=["--snapshot-mb", "4"]).start()
    server.sql("CREATE STREAM s (k TEXT, n BIGINT) WITH (key = 'k', partitions = 4);"
               "CREATE STREAM d AS SELECT * FROM s WHERE n % 2 = 0;"
               "CREATE MATERIALIZED VIEW v0 AS SELECT *, 1 AS one FROM s")
    # No numbers: NULL, once c0 is one.
    acknowledged = server.produce("s", [event(n, c0=f"{n}x") for n in range(100)])["accepted"]
    for added, kind in enumerate(("BIGINT", "TEXT", "DOUBLE PRECISION", "JSONB")):
        with Load(server, (added + 1) * 1_000_000) as load:
            load.wait(200)
            server.sql(f"ALTER STREAM s ADD COLUMN c{added} {kind}, ADD COLUMN IF NOT EXISTS n TEXT; CREATE MATERIALIZED VIEW v{added + 1} AS SELECT * FROM s")
            load.wait(load.acknowledged + 200)
            server.kill()
        assert load.refused is None, load.refused
        acknowledged += load.acknowledged
        server.start(workers=1 + added % 2)
        assert columns(server, "s") == ["k", "n", *(f"c{i}" for i in range(added + 1))]
    for view in range(5):
        server.wait_running(f"v{view}")
    (counts,) = server.sql("SELECT count(*) AS n, count(c0) AS c0, count(c1) AS c1, count(c3) AS c3, count(*) FILTER (WHERE n % 2 = 0) AS even FROM s")
    total = counts["n"]
    assert total >= acknowledged and counts["c1"] == counts["c3"] == total and counts["c0"] == total - 100, (counts, acknowledged)
    assert sorted(rows(server, "SELECT n FROM s WHERE c0 IS NULL")) == [(n,) for n in range(100)]
    assert server.sql("SELECT count(*) AS n FROM d") == [{"n": counts["even"]}]
    for view in range(5):
        assert server.sql(f"SELECT count(*) AS n FROM v{view}") == [{"n": total}], view
        (last,) = server.sql(f"SELECT * FROM v{view} WHERE n = 4000100")
        whole = {**event(4000100), "one": 1}
        assert last == {name: whole[name] for name in (["k", "n", "one"] if view == 0 else ["k", "n", *(f"c{i}" for i in range(view))])}, last
    assert server.sql("SELECT count(*) AS n FROM dead_letters") == [{"n": 0}]


@contextlib.contextmanager
def following(test, server):
    """Who follows the stream from now on: a function that gives the next event which is not one of those that waited for it."""
    client = subprocess.Popen([test.binary, "sql", "--server", server.url, "--output", "ndjson", "-c", "SUBSCRIBE s"], stdout=subprocess.PIPE, text=True, bufsize=1)
    try:
        deadline = time.monotonic() + 60
        while not select.select([client.stdout], [], [], 0.05)[0]:
            assert time.monotonic() < deadline
            server.produce("s", [{"n": 0}])
        yield lambda: next(row for row in map(json.loads, client.stdout) if row["n"] != 0)
    finally:
        client.kill()
        client.wait()


def followers(test):
    """Who follows the stream goes on with the columns that it began with; who comes later has all of them."""
    server = test.server().start()
    server.sql("CREATE STREAM s (n BIGINT)")
    with following(test, server) as before:
        server.produce("s", [{"n": 1, "w": "a"}])
        assert before() == {"n": 1}
        server.sql("ALTER STREAM s ADD COLUMN w TEXT")
        with following(test, server) as after:
            server.produce("s", [{"n": 2, "w": "b"}])
            assert before() == {"n": 2}
            assert after() == {"n": 2, "w": "b"}


def at_once(test):
    """Many alter, and make views, at once: every column is there in the end, every view has those of its time, also after a start."""
    server = test.server().start()
    server.sql("CREATE STREAM s (n BIGINT)")
    server.produce("s", [{"n": 1}])

    def alter(i):
        server.sql(f"ALTER STREAM s ADD COLUMN c{i} BIGINT; CREATE MATERIALIZED VIEW v{i} AS SELECT * FROM s")

    threads = [threading.Thread(target=alter, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(columns(server, "s")) == sorted(["n", *(f"c{i}" for i in range(8))])
    shown = {i: server.sql(f"SELECT * FROM v{i}") for i in range(8)}
    assert all(f"c{i}" in row for i, (row,) in shown.items()), shown
    server.kill()
    server.start()
    assert {i: server.sql(f"SELECT * FROM v{i}") for i in range(8)} == shown


def with_its_subject(test):
    """The subject's next version has a member more: the stream takes that, and is given the column."""
    server = test.server(options=["--schema-registry", "127.0.0.1:0"]).start()
    with open(os.path.join(server.directory, "schema-registry.port"), encoding="ascii") as f:
        registry = {"MILLRACE_REGISTRY": f"http://127.0.0.1:{int(f.read())}"}

    def register(*members):
        text = json.dumps({"type": "object", "properties": {name: {"type": "integer"} for name in members}, "additionalProperties": False})
        done = test.cli("schema", "register", "s", "-", "--type", "json", stdin=text, env=registry)
        assert done.returncode == 0, done

    register("id")
    server.sql("CREATE STREAM s WITH (schema = 's'); CREATE MATERIALIZED VIEW v AS SELECT * FROM s")
    server.produce("s", [{"id": 1}])
    register("id", "total")
    server.sql("ALTER STREAM s SET (schema_version = 'latest'); ALTER STREAM s ADD COLUMN total BIGINT; CREATE MATERIALIZED VIEW w AS SELECT * FROM s")
    server.produce("s", [{"id": 2, "total": 8}])
    server.kill()
    server.start()
    assert sorted(rows(server, "SELECT * FROM v")) == [(1,), (2,)]
    assert rows(server, "SELECT * FROM w ORDER BY id") == [(1, None), (2, 8)]
    definition = json.loads(server.call("GET", "/v1/streams/s")[0])["definition"]
    assert "total BIGINT" in definition and "schema_version = 2" in definition and "column_history = '1:" in definition, definition
    copied = server.refusal("POST", "/v1/sql", definition.replace("STREAM s", "STREAM copy", 1).encode(), HEADERS)
    assert copied.problem["code"] == "MR-SQL-0030", copied.problem


def restored(test):
    """A backup holds what each query knows of the stream."""
    server = test.server().start()
    server.sql("CREATE STREAM s (n BIGINT); CREATE MATERIALIZED VIEW v AS SELECT * FROM s")
    server.produce("s", [{"n": 1, "w": 2}])
    server.sql("ALTER STREAM s ADD COLUMN w BIGINT; CREATE MATERIALIZED VIEW x AS SELECT * FROM s; PAUSE v")
    server.produce("s", [{"n": 3, "w": 4}])
    folder = os.path.join(test.root, "backups")
    done = test.cli("backup", "--server", server.url, "--data", server.directory, "--to", folder)
    assert done.returncode == 0, done
    copy = test.server("copy")
    done = test.cli("restore", "--from", folder, "--data", copy.directory)
    assert done.returncode == 0, done
    copy.start()
    copy.sql("RESUME v")
    copy.wait_running("v")
    assert sorted(rows(copy, "SELECT * FROM v")) == [(1,), (3,)]
    assert sorted(rows(copy, "SELECT * FROM x")) == [(1, 2), (3, 4)]


if __name__ == "__main__":
    main([killed_between, followers, at_once, with_its_subject, restored])
