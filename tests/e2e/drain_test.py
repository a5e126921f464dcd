#!/usr/bin/env python3
"""SIGTERM drains: who asks hears why, what was accepted is finished, and it ends within its bound. A start says how far it is."""
import fcntl
import http.client
import json
import os
import re
import signal
import socket
import ssl
import struct
import sys
import termios
import threading
import time

from harness import Refused, free_port, main
from tls_test import make_pair

DEFINE = ("CREATE STREAM s (id BIGINT, name TEXT) WITH (key = 'name', partitions = 2);"
          "CREATE MATERIALIZED VIEW v AS SELECT name, count(*) AS n FROM s GROUP BY name")


def started(test, *options):
    server = test.server(options=options).start()
    server.sql(DEFINE)
    server.wait_running("v")
    return server


def follow(server, buffer=None):
    """A subscription over HTTP, from the beginning, that nobody reads yet."""
    client = socket.socket()
    if buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    client.connect(("127.0.0.1", server.port))
    client.sendall(b"GET /v1/streams/s/events?from=start HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
    deadline = time.monotonic() + 20
    while server.metric("millrace_http_subscriptions") != 1:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return client


def read_end(client):
    client.settimeout(20)
    got = b""
    while piece := client.recv(1 << 16):
        got += piece
    return got


def stuck(server):
    """A client that takes nothing of its answer holds the drain up."""
    server.produce("s", [{"id": n, "name": "x" * 10_000} for n in range(1000)])
    client, waiting, before = follow(server, 4096), 0, -1
    while waiting == 0 or waiting != before:  # until no more goes through
        time.sleep(0.3)
        waiting, before = int.from_bytes(fcntl.ioctl(client, termios.FIONREAD, bytes(4)), sys.byteorder), waiting
    return client


def it_says_that_it_drains(test):
    server = started(test, "--drain-timeout", "3")
    slow = stuck(server)
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    ready = wait_refused(server, "GET", "/readyz")
    assert ready.status == 503 and ready.problem["code"] == "MR-NODE-0014" and ready.headers["Retry-After"] == "1", ready
    assert b"not ready: MR-NODE-0014: the node is stopping" in server.raw(
        b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nAccept: text/plain\r\n\r\n")
    assert server.call("GET", "/livez")[0] == b"live\n"
    assert b"millrace_http_connections" in server.call("GET", "/metrics")[0]
    for method, path, body, kind in (("POST", "/v1/streams/s/events", b'{"id":1}', "application/x-ndjson"),
                                     ("POST", "/v1/sql", b"SELECT * FROM v", "application/sql")):
        refused = server.refusal(method, path, body, {"Content-Type": kind})
        assert refused.status == 503 and refused.headers["Retry-After"] == "1", refused
        assert refused.headers["Connection"] == "close" and refused.problem["code"] == "MR-NODE-0014", refused
    assert server.process.wait(20) == 0
    assert 2.5 < time.monotonic() - began < 8, time.monotonic() - began
    assert re.search(r"stopped in 3\.\d s: not every client took its answer, every query is at the log's end; no snapshots: "
                     r"--drain-timeout is over", server.tail()), server.tail()
    slow.close()
    server.start()
    assert len(server.events("s")) == 1000
    assert server.sql("SELECT n FROM v") == [{"n": 1000}]


def wait_refused(server, method, path):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            server.call(method, path)
        except Refused as refused:
            return refused
    raise AssertionError(f"{path} goes on")


def subscribers_are_told(test):
    server = started(test)
    server.produce("s", [{"id": 1, "name": "ana"}])
    events = follow(server)
    web = socket.create_connection(("127.0.0.1", server.port))
    web.sendall(b"GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
    head = b""
    while b"\r\n\r\n" not in head:
        head += web.recv(4096)
    assert head.startswith(b"HTTP/1.1 101"), head
    kept = http.client.HTTPConnection("127.0.0.1", server.port)
    kept.request("GET", "/livez")
    assert kept.getresponse().read() == b"live\n"
    got = b""
    while b'"name": "ana"' not in got:  # what it had not read yet it would read again from its cursor
        piece = events.recv(4096)
        assert piece, got
        got += piece
    assert server.stop() == 0
    got += read_end(events)
    assert got.endswith(b"retry: 2000\n\n\r\n0\r\n\r\n"), got
    frame = read_end(web)
    assert frame[0] == 0x88 and struct.unpack(">H", frame[2:4]) == (1001,), frame
    assert kept.sock.recv(1) == b"", "an idle connection is closed"
    assert re.search(r"stopped in \d\.\d s: every request was answered, every query is at the log's end, snapshots are written",
                     server.tail()), server.tail()


def what_was_accepted_is_finished(test):
    """In the middle of a burst from many clients: every acknowledgement holds, and the view counts it."""
    server = started(test, "--segment-mb", "8")
    acknowledged, others = [0] * 4, []

    def feed(number):
        while True:
            try:
                acknowledged[number] += server.produce("s", [{"id": n, "name": "ana"} for n in range(500)])["accepted"]
            except Refused as refused:
                others.append(refused.status)
                return
            except (OSError, http.client.HTTPException):
                return

    threads = [threading.Thread(target=feed, args=(number,)) for number in range(len(acknowledged))]
    for thread in threads:
        thread.start()
    time.sleep(1)
    assert server.stop() == 0
    for thread in threads:
        thread.join()
    assert set(others) <= {503}, others
    assert "every query is at the log's end, snapshots are written" in server.tail(), server.tail()
    server.start()
    n = server.sql("SELECT n FROM v")[0]["n"]
    assert sum(acknowledged) <= n <= sum(acknowledged) + 2000 and n % 500 == 0, (acknowledged, n)


def a_start_says_how_far_it_is(test):
    port, secure = free_port(), free_port()
    certificate, key = make_pair(test, "data")
    server = started(test, "--snapshot-mb", "1000", "--https", f"127.0.0.1:{secure}", "--tls-cert", certificate, "--tls-key", key)
    server.address = f"127.0.0.1:{port}"
    trusted = ssl.create_default_context(cafile=certificate)
    body = [{"id": n, "name": f"n{n % 1000}"} for n in range(20_000)]
    for _ in range(15):
        server.produce("s", body)
    server.kill()
    said = {"http": [], "https": []}
    over = threading.Event()

    def probe(scheme):
        while not over.is_set():
            connection = (http.client.HTTPConnection("127.0.0.1", port, timeout=20) if scheme == "http" else
                          http.client.HTTPSConnection("127.0.0.1", secure, timeout=20, context=trusted))
            try:
                connection.request("GET", "/readyz")
                answer = connection.getresponse()
                text = answer.read()
                if answer.status == 503:
                    said[scheme].append(json.loads(text))
            except OSError:
                time.sleep(0.002)
            finally:
                connection.close()

    threads = [threading.Thread(target=probe, args=(scheme,)) for scheme in said]
    for thread in threads:
        thread.start()
    server.start()
    over.set()
    for thread in threads:
        thread.join()
    for problems in said.values():
        starting = [problem["message"] for problem in problems if problem["code"] == "MR-NODE-0015"]
        assert any(re.fullmatch(r"the node is starting: [a-z ]+: \d+ of \d+", message) for message in starting), said
        assert {problem["code"] for problem in problems} <= {"MR-NODE-0015", "MR-STEP-0025"}, said
    assert os.path.exists(os.path.join(server.directory, "http.port"))


if __name__ == "__main__":
    main([it_says_that_it_drains, subscribers_are_told, what_was_accepted_is_finished, a_start_says_how_far_it_is])
