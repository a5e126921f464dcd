#!/usr/bin/env python3
"""Starting, stopping and the command line, as a user meets them."""
import http.client
import json
import os
import re
import signal
import subprocess
import threading
import time

import replay
from harness import Refused, free_port, load_lines, main

DEFINE = "CREATE STREAM s (id BIGINT, at TIMESTAMPTZ, name TEXT, WATERMARK FOR at AS at) WITH (key = 'name', partitions = 2);"


def started(test, **kwargs):
    server = test.server(**kwargs).start()
    server.sql(DEFINE)
    return server


def second_server_on_the_same_directory(test):
    server = started(test)
    second = test.cli("serve", "--data", server.directory, "--http", "127.0.0.1:0")
    assert second.returncode == 1 and "MR-NODE-0001" in second.stderr, second
    assert server.sql("SHOW STREAMS"), "the first one goes on"


def directory_of_a_newer_version(test):
    server = started(test)
    assert server.stop() == 0
    with open(os.path.join(server.directory, "VERSION"), "w", encoding="ascii") as f:
        f.write("millrace data 999\n")
    server.spoiled = True
    newer = test.cli("serve", "--data", server.directory, "--http", "127.0.0.1:0")
    assert newer.returncode == 1 and "MR-NODE-0002" in newer.stderr and "999" in newer.stderr, newer


def port_in_use(test):
    server = started(test)
    other = test.cli("serve", "--data", os.path.join(test.root, "other"), "--http", f"127.0.0.1:{server.port}")
    assert other.returncode == 1 and re.search(r"MR-[A-Z]+-\d{4}", other.stderr) and str(server.port) in other.stderr, other


def open_to_the_world_needs_tokens(test):
    done = test.cli("serve", "--data", os.path.join(test.root, "data"), "--http", "0.0.0.0:0")
    assert done.returncode != 0 and "MR-API-0030" in done.stderr, done


def signals_drain(test):
    """What was acknowledged before the end is there after it; the process ends with 0."""
    for which in (signal.SIGTERM, signal.SIGINT):
        server = started(test, name=f"data-{which.name}")
        acknowledged, go_on = [], True

        def feed(server=server, acknowledged=acknowledged):
            number = 0
            while go_on:
                event = {"id": number, "at": number, "name": f"n{number % 7}"}
                try:
                    if server.produce("s", [event])["accepted"] == 1:
                        acknowledged.append(number)
                except (OSError, Refused, http.client.HTTPException):
                    return
                number += 1

        thread = threading.Thread(target=feed)
        thread.start()
        time.sleep(0.5)
        assert server.stop(which) == 0
        go_on = False
        thread.join()
        server.start()
        kept = {e["id"] for e in server.events("s")}
        assert acknowledged and set(acknowledged) <= kept, "an acknowledged event is gone"
        assert len(kept) <= len(acknowledged) + 1
        assert server.stop() == 0


def command_line_exit_codes(test):
    server = started(test)
    at = ["--server", server.url]
    nobody = ["--server", f"http://127.0.0.1:{free_port()}"]
    cases = [
        (["version"], 0),
        (["sql", *at, "-c", "SHOW STREAMS"], 0),
        (["sql", *at, "-c", "SELECT nme FROM s"], 1),
        (["sql", *at, "-c", ";"], 2),
        (["sql", "--server", "ftp://x", "-c", "SHOW STREAMS"], 2),
        (["sql", *nobody, "-c", "SHOW STREAMS"], 3),
        (["produce", *at, "s", "/there/is/no/file"], 2),
        (["produce", *nobody, "s", "examples/README.md", "--retry-seconds", "0"], 3),
        (["produce", *at, "nothing", "examples/README.md"], 1),
        (["consume", *at, "nothing"], 1),
        (["consume", *nobody, "s"], 3),
        (["consume", *at, "s", "--from", "nonsense"], 1),
        (["log", "verify", "--data", "/there/is/nothing"], 1),
        (["--no-such-option"], 2),
        (["no-such-command"], 2),
    ]
    for arguments, code in cases:
        done = test.cli(*arguments, stdin="")
        assert done.returncode == code, f"{arguments}: {done.returncode}, not {code}\n{done.stdout}{done.stderr}"
        if code == 1 or code == 3:
            assert re.search(r"MR-[A-Z]+-\d{4}", done.stderr), f"{arguments}: no code in {done.stderr}"
            assert not done.stdout, f"{arguments}: talk on stdout"


def sql_errors_are_underlined(test):
    server = started(test)
    done = test.cli("sql", "--server", server.url, "-c", "SELECT id,\n  nme FROM s")
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    at = next(i for i, line in enumerate(lines) if "nme FROM s" in line)
    assert lines[at].startswith("2 | ") and lines[at + 1].index("^") == lines[at].index("nme"), done.stderr
    assert lines[at + 1].split() == ["|", "^^^"] and "hint" in done.stderr, done.stderr


def sql_tables_and_json(test):
    server = started(test)
    server.produce("s", [{"id": 1, "at": "2024-01-01T00:00:00Z", "name": "東京"},
                         {"id": 22, "at": "2024-01-01T00:00:01Z", "name": None}])
    server.sql("CREATE MATERIALIZED VIEW v AS SELECT name, id FROM s")
    table = test.cli("sql", "--server", server.url, "-c", "SELECT name, id FROM v ORDER BY id")
    assert table.stdout == " name | id\n------+----\n 東京 |  1\n      | 22\n", table
    assert "(2 rows)" in table.stderr
    rows = test.cli("sql", "--server", server.url, "--output", "json", stdin="SELECT name, id FROM v ORDER BY id")
    assert [json.loads(line) for line in rows.stdout.splitlines()] == [{"name": "東京", "id": 1}, {"name": None, "id": 22}]


def produce_and_consume(test):
    server = started(test)
    at = ["--server", server.url]
    lines = [json.dumps({"id": i, "at": i, "name": f"n{i}"}) + "\n" for i in range(30_000)]
    path = os.path.join(test.root, "events.ndjson")
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(lines)
    for says in ("30000 events accepted, 0 rejected,", "0 events accepted, 0 rejected, 30000 in the stream already,"):
        done = test.cli("produce", *at, "s", path, "--idempotency-prefix", "p")
        assert done.returncode == 0 and says in done.stderr, done
    consumed = test.cli("consume", *at, "s", "--from", "start")
    assert sorted(json.loads(line)["id"] for line in consumed.stdout.splitlines()) == list(range(30_000))
    assert len(test.cli("consume", *at, "s", "--limit", "7").stdout.splitlines()) == 7
    bad = test.cli("produce", *at, "s", stdin='\n{"id":1}\nno json\n{"id":"x"}\n')
    assert bad.returncode == 1 and "1 event accepted, 2 rejected" in bad.stderr, bad
    assert "line 3:" in bad.stderr and "line 4:" in bad.stderr, bad.stderr


def producing_survives_kills(test):
    """`millrace produce` beside kill -9: everything once."""
    server = started(test, options=["--segment-mb", "8"])
    port = free_port()
    server.kill()
    server.address = f"127.0.0.1:{port}"  # the same one after every kill
    path = os.path.join(test.root, "events.ndjson")
    with open(path, "w", encoding="utf-8") as f:
        for i in range(200_000):
            f.write(json.dumps({"id": i, "at": i, "name": f"n{i % 100}", "pad": "x" * 100}) + "\n")
    server.start()
    producer = subprocess.Popen([test.binary, "produce", "--server", server.url, "s", path], stderr=subprocess.PIPE, text=True)
    for _ in range(3):
        time.sleep(test.random.uniform(0.02, 0.2))
        server.kill()
        server.start()
    _, talk = producer.communicate(timeout=120)
    assert producer.returncode == 0 and "200000 events accepted" in talk, talk
    kept = [e["id"] for e in server.events("s")]
    assert len(kept) == 200_000 and len(set(kept)) == 200_000, (len(kept), len(set(kept)))
    assert server.stop() == 0


def following_comes_back(test):
    """`consume --follow` across a restart: none twice, none left out."""
    server = started(test)
    port = server.port
    follower = subprocess.Popen([test.binary, "consume", "--server", server.url, "s", "--follow", "--from", "start",
                                 "--limit", "200"], stdout=subprocess.PIPE, text=True)
    for i in range(100):
        server.produce("s", [{"id": i, "at": i, "name": "n"}])
    server.kill()
    server.address = f"127.0.0.1:{port}"
    server.start()
    for i in range(100, 200):
        server.produce("s", [{"id": i, "at": i, "name": "n"}])
    out, _ = follower.communicate(timeout=60)
    assert follower.returncode == 0
    assert [json.loads(line)["id"] for line in out.splitlines()] == list(range(200))


def subscribing_sees_rows_as_they_happen(test):
    server = started(test)
    server.sql("CREATE STREAM big AS SELECT id, name FROM s WHERE id >= 10")
    client = subprocess.Popen([test.binary, "sql", "--server", server.url, "--output", "json", "-c", "SUBSCRIBE TO big"],
                              stdout=subprocess.PIPE, text=True)
    time.sleep(0.5)
    server.produce("s", [{"id": i, "at": i, "name": f"n{i}"} for i in range(20)])
    rows = [json.loads(client.stdout.readline()) for _ in range(10)]
    client.send_signal(signal.SIGKILL)
    client.wait()
    assert sorted(r["id"] for r in rows) == list(range(10, 20)), rows


def gateway_only(test):
    """A node without a processor takes events in and serves streams; SQL over views says `unavailable`, with a hint."""
    server = started(test)
    server.sql("CREATE MATERIALIZED VIEW v AS SELECT name, count(*) AS n FROM s GROUP BY name")
    assert server.stop() == 0
    server.options = ["--gateway-only"]
    server.start()
    server.produce("s", [{"id": 1, "at": 1, "name": "a"}])
    assert server.events("s") == [{"id": 1, "at": 1, "name": "a"}]
    try:
        server.sql("SELECT * FROM v")
        raise AssertionError("a view was answered without a processor")
    except Refused as refused:
        assert refused.status == 503 and refused.problem["code"] == "MR-QRY-0001" and refused.problem["hint"], refused
    assert server.stop() == 0
    server.options = []
    server.start()
    assert server.sql("SELECT * FROM v") == [{"name": "a", "n": 1}]


def example_data_through_the_command_line(test):
    """What `make run-local` does, with the README's first query."""
    server = test.server().start()
    at = ["--server", server.url]
    for _ in range(2):
        assert test.cli("sql", *at, "-f", "examples/quickstart.sql").returncode == 0
        for stream, name in (("earthquakes", replay.QUAKES), ("flights", replay.FLIGHTS)):
            done = test.cli("produce", *at, stream, f"examples/{name}", "--idempotency-prefix", f"example-{stream}")
            assert done.returncode == 0, done
    rows = server.sql("SELECT * FROM quakes_per_hour ORDER BY quakes DESC LIMIT 5")
    assert len(rows) == 5 and rows[0]["quakes"] >= rows[4]["quakes"] > 0, rows
    strong = server.events("strong_quakes")
    want = [q for q in map(json.loads, load_lines(replay.QUAKES)) if (q["mag"] or 0) >= 4.5]
    assert sorted(e["id"] for e in strong) == sorted(q["id"] for q in want)
    assert server.stop() == 0


if __name__ == "__main__":
    main([second_server_on_the_same_directory, directory_of_a_newer_version, port_in_use, open_to_the_world_needs_tokens,
          signals_drain, command_line_exit_codes, sql_errors_are_underlined, sql_tables_and_json, produce_and_consume,
          producing_survives_kills, following_comes_back, subscribing_sees_rows_as_they_happen, gateway_only,
          example_data_through_the_command_line])
