#!/usr/bin/env python3
"""Data directories that releases have written open, and say what they said then; a newer one's is refused.

tests/fixtures/data_directory/NAME.tar.xz is a directory as a killed node left it, NAME.json what the node had answered.
A release writes its own, once, and commits both files:
python3 tests/e2e/data_directory_test.py --binary build/release/bin/millrace --write NAME"""
import glob
import json
import os
import sys
import tarfile

from harness import ROOT, Test, main

FIXTURES = os.path.join(ROOT, "tests", "fixtures", "data_directory")
LARGEST = 200_000
OPTIONS = ["--segment-mb", "8"]
DEFINE = """
CREATE STREAM orders (id BIGINT, at TIMESTAMPTZ, customer TEXT, amount NUMERIC(12, 2), share DOUBLE PRECISION, paid BOOLEAN, day DATE,
  tags TEXT[], place ROW<city TEXT, geo ROW<lat REAL, lon REAL>>, more JSONB, token UUID, raw BYTEA, small SMALLINT,
  WATERMARK FOR at AS at - INTERVAL '5 seconds') WITH (key = 'customer', partitions = 3);
CREATE STREAM prices (item TEXT, price INTEGER);
CREATE MATERIALIZED VIEW by_customer AS
  SELECT customer, count(*) AS n, sum(amount) AS total, min(share) AS least, array_agg(id ORDER BY id) AS ids FROM orders GROUP BY customer;
CREATE MATERIALIZED VIEW by_window AS SELECT customer, window_start, count(*) AS n FROM TUMBLE(orders, at, INTERVAL '10 seconds')
  GROUP BY customer, window_start EMIT ON WINDOW CLOSE;
CREATE STREAM large AS SELECT id, customer, amount FROM orders WHERE amount > 500;
CREATE MATERIALIZED VIEW large_by_customer AS SELECT customer, count(DISTINCT id) AS n FROM large GROUP BY customer;
CREATE MATERIALIZED VIEW gone AS SELECT item, count(*) AS n FROM prices GROUP BY item;
CREATE MATERIALIZED VIEW resting AS SELECT item, max(price) AS most FROM prices GROUP BY item
"""
STREAMS = ["orders", "prices", "large", "dead_letters"]
VIEWS = ["by_customer", "by_window", "large_by_customer", "resting"]


def order(n):
    second = n // 3
    return {"id": n, "at": f"2026-03-01T10:{second // 60:02}:{second % 60:02}Z", "customer": f"c{n % 7}",
            "amount": f"{n * 37 % 1000}.{n % 100:02}", "share": n / 8, "paid": n % 2 == 0, "day": f"2026-03-{n % 28 + 1:02}",
            "tags": [f"t{n % 3}", "ü"], "place": {"city": "Köln", "geo": {"lat": 50.5, "lon": n % 90}}, "more": {"n": n, "x": [None, True]},
            "token": f"00000000-0000-4000-8000-{n:012}", "raw": "\\x00ff", "small": n % 100}


def answers(server):
    return {"events": {name: server.events(name) for name in STREAMS},
            "views": {name: sorted(server.sql(f"SELECT * FROM {name}"), key=json.dumps) for name in VIEWS}}


def write(test, name):
    """Snapshots, a change of the number of workers, sealed segments, and a tail that a kill has left."""
    server = test.server(options=OPTIONS).start()
    server.sql(DEFINE)
    for view in VIEWS:
        server.wait_running(view)
    server.produce("orders", [order(n) for n in range(100)], key="first")
    server.produce("prices", [{"item": f"i{n % 4}", "price": n} for n in range(40)])
    server.sql("DROP MATERIALIZED VIEW gone; PAUSE resting")
    assert server.stop() == 0
    server.start(workers=2)
    late = {**order(1), "id": 1001}
    server.produce("orders", [*(order(n) for n in range(100, 150)), late, {"id": "no number"}])
    server.sql("RESUME resting")
    server.produce("prices", [{"item": "i9", "price": 9}])
    said = answers(server)
    assert all(said["events"].values()) and all(said["views"].values()), said
    server.kill()
    archive = os.path.join(FIXTURES, name + ".tar.xz")
    with tarfile.open(archive, "w:xz", preset=9) as tar:
        tar.add(server.directory, "data", filter=lambda entry: None if os.path.basename(entry.name) in ("LOCK", "http.port") else entry)
    with open(os.path.join(FIXTURES, name + ".json"), "w", encoding="utf-8") as f:
        json.dump(said, f, ensure_ascii=False, separators=(",", ":"))
        f.write("\n")
    server.spoiled = True


def opened(test, name, workers=1):
    directory = os.path.join(test.root, f"{name}-{workers}")
    with tarfile.open(os.path.join(FIXTURES, name + ".tar.xz")) as tar:
        tar.extractall(directory)
    return test.server(os.path.join(directory, "data"), workers=workers, options=OPTIONS)


def names():
    found = sorted(os.path.basename(path)[:-len(".tar.xz")] for path in glob.glob(os.path.join(FIXTURES, "*.tar.xz")))
    assert found, "there is none"
    return found


def what_releases_wrote_opens(test):
    for name in names():
        assert sum(os.path.getsize(path) for path in glob.glob(os.path.join(FIXTURES, name + ".*"))) < LARGEST, name
        with open(os.path.join(FIXTURES, name + ".json"), encoding="utf-8") as f:
            said = json.load(f)
        for workers in (1, 2):
            server = opened(test, name, workers)
            server.check_verify()
            server.start()
            assert answers(server) == said, f"{name}: other answers than its release gave"
            before = {row["customer"]: row["n"] for row in said["views"]["by_customer"]}
            server.produce("orders", [{**order(150), "customer": "c1"}])
            now = {row["customer"]: row["n"] for row in server.sql("SELECT customer, n FROM by_customer")}
            assert now == {**before, "c1": before["c1"] + 1}, (before, now)
            assert server.stop() == 0


def other_formats_are_refused(test):
    server = opened(test, names()[-1])
    server.spoiled = True
    version = os.path.join(server.directory, "VERSION")
    for text, code, said in (("millrace data 2\n", "MR-NODE-0002", ["has format 2; this Millrace reads and writes format 1",
                                                                   "a newer Millrace wrote it: start that one, or a newer one"]),
                             ("millrace data 0\n", "MR-NODE-0002", ["has format 0", "start the Millrace that wrote it"]),
                             ("millrace da", "MR-NODE-0016", ["VERSION of the data directory"]), ("", "MR-NODE-0016", [])):
        with open(version, "w", encoding="ascii") as f:
            f.write(text)
        for command in (["serve", "--http", "127.0.0.1:0"], ["log", "verify"]):
            done = test.cli(*command, "--data", server.directory)
            assert done.returncode == 1 and code in done.stderr and all(word in done.stderr for word in said), done
        with open(version, encoding="ascii") as f:
            assert f.read() == text


if __name__ == "__main__":
    if "--write" in sys.argv:
        at = sys.argv.index("--write")
        wanted = sys.argv[at + 1]
        del sys.argv[at:at + 2]

        def a_fixture_is_written(test: Test):
            write(test, wanted)

        main([a_fixture_is_written])
    main([what_releases_wrote_opens, other_formats_are_refused])
