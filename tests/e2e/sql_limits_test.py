#!/usr/bin/env python3
"""Statements that take too long, or that nobody waits for any more: their work stops, and says so in the metrics."""
import json
import signal
import socket
import subprocess
import time

from harness import main

DOUBLINGS = 21


def slow(doublings=DOUBLINGS):
    """A SELECT that takes seconds and reads nothing: of 2 ** doublings rows."""
    steps = ["a0 AS (SELECT 1 AS n)"]
    for i in range(doublings):
        steps.append(f"a{i + 1} AS (SELECT n FROM a{i} UNION ALL SELECT n + {1 << i} FROM a{i})")
    return f"WITH {', '.join(steps)} SELECT max(md5(repeat(CAST(n AS TEXT), 500))) AS m FROM a{doublings}"


def wait_for(server, name, value, within=10):
    deadline = time.monotonic() + within
    while server.metric(name) != value:
        assert time.monotonic() < deadline, f"{name} is {server.metric(name)}, not {value}"
        time.sleep(0.01)


def request_of(text, version="1.1", target="/v1/sql"):
    return (f"POST {target} HTTP/{version}\r\nHost: localhost\r\nContent-Type: application/sql\r\n"
            f"Content-Length: {len(text)}\r\n\r\n{text}").encode()


def timeouts(test):
    server = test.server(options=["--statement-timeout", "2s"]).start()
    headers = {"Content-Type": "application/sql"}
    began = time.monotonic()
    refused = server.refusal("POST", "/v1/sql?timeout_ms=200", slow(), headers)
    assert (refused.status, refused.problem["code"]) == (504, "MR-QRY-0010"), refused.body
    assert time.monotonic() - began < 1.5
    wait_for(server, "millrace_sql_running", 0)
    assert time.monotonic() - began < 2
    assert server.metric("millrace_sql_timeouts_total") == 1
    for wrong in ("0", "-5", "huge", "99999999999999999999"):
        refused = server.refusal("POST", f"/v1/sql?timeout_ms={wrong}", "SELECT 1", headers)
        assert (refused.status, refused.problem["code"]) == (400, "MR-API-0040"), refused.body
    # More than the server's own is the server's own; what was answered before stays.
    began = time.monotonic()
    body, _ = server.call("POST", "/v1/sql?timeout_ms=86400000", "SELECT 1 AS one; " + slow(23), headers)
    lines = [json.loads(line) for line in body.splitlines() if line]
    assert lines[0] == {"one": 1} and lines[1]["error"]["code"] == "MR-QRY-0010", lines
    assert 1.9 < time.monotonic() - began < 5
    server.sql("CREATE STREAM s (n BIGINT)")
    began = time.monotonic()
    refused = server.refusal("POST", "/v1/sql?timeout_ms=100", "INSERT INTO s SELECT length(m) " +
                             f"FROM ({slow()}) AS x", headers)
    assert refused.problem["code"] == "MR-QRY-0010", refused.body
    assert server.sql("SELECT count(*) AS c FROM s") == [{"c": 0}]
    wait_for(server, "millrace_sql_running", 0)


def subscriptions_have_no_end(test):
    server = test.server(options=["--statement-timeout", "200ms"]).start()
    server.sql("CREATE STREAM s (n BIGINT)")
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(request_of("SUBSCRIBE TO s", target="/v1/sql?timeout_ms=100"))
        time.sleep(0.6)
        server.produce("s", [{"n": 7}])
        got = b""
        while b'{"n":7}' not in got:
            piece = connection.recv(1 << 16)
            assert piece, got
            got += piece
    assert server.metric("millrace_sql_timeouts_total") == 0


def clients_that_go(test):
    """Closed, reset, or by ctrl-C of `millrace sql`: the work ends. Half closed: the answer comes."""
    server = test.server().start()
    for ends in range(3):
        if ends < 2:
            connection = socket.create_connection(("127.0.0.1", server.port), timeout=10)
            connection.sendall(request_of(slow(23)))
            if ends == 1:  # with a reset
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            wait_for(server, "millrace_sql_running", 1)
            connection.close()
        else:
            client = subprocess.Popen([test.binary, "sql", "--server", server.url, "-c", slow(23)],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            wait_for(server, "millrace_sql_running", 1)
            client.send_signal(signal.SIGINT)
            client.wait(10)
        began = time.monotonic()
        wait_for(server, "millrace_sql_running", 0)
        assert time.monotonic() - began < 3
        assert server.metric("millrace_sql_cancelled_total") == ends + 1
    answer = server.raw(request_of(slow(19)), timeout=60)
    assert b"HTTP/1.1 200 OK" in answer and b'{"m":"' in answer, answer
    assert server.metric("millrace_sql_cancelled_total") == 3


def command_line(test):
    server = test.server().start()
    done = test.cli("sql", "--server", server.url, "--timeout", "100ms", "-c", slow())
    assert done.returncode == 1 and "MR-QRY-0010" in done.stderr, done
    done = test.cli("sql", "--server", server.url, "--timeout", "1m", "-c", "SELECT 1 AS one", "--output", "json")
    assert (done.returncode, done.stdout) == (0, '{"one":1}\n'), done
    for wrong in ("5", "-1s", "25h", "soon"):
        done = test.cli("sql", "--server", server.url, f"--timeout={wrong}", "-c", "SELECT 1")
        assert done.returncode == 2 and "--timeout" in done.stderr, done
    wait_for(server, "millrace_sql_running", 0)
    done = subprocess.run([test.binary, "sql", "--server", server.url, "-c", "SELECT $1", "--param", b"\xff"],
                          capture_output=True, timeout=60)
    assert done.returncode == 2 and b"not UTF-8" in done.stderr, done


def stops_with_the_server(test):
    """A long SELECT holds up no stop: it is cut off with its connection, and the thread with it."""
    server = test.server().start()
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(request_of(slow(24)))
        wait_for(server, "millrace_sql_running", 1)
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 9


if __name__ == "__main__":
    main([timeouts, subscriptions_have_no_end, clients_that_go, command_line, stops_with_the_server])
