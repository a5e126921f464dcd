#!/usr/bin/env python3
"""Clients that keep the server waiting: it serves the others meanwhile, its memory stays, and whoever is cut off can go on."""
import contextlib
import json
import re
import resource
import select
import socket
import struct
import threading
import time

from bad_input.frames import CLOSE, FIN, TEXT, Socket, frame
from bad_input.requests import CHUNKED, POST, get, resident_mb
from harness import main

LIVE = b"Accept: text/event-stream\r\n"
FOLLOW = get(b"/v1/streams/s/events?from=start", LIVE)
EVENTS, PAD = 3000, "x" * 5000
TCP_REPAIR, ON = 19, 1


def opened(server, data=b"", buffer=None):
    connection = socket.socket()
    if buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    connection.settimeout(60)
    connection.connect(("127.0.0.1", server.port))
    connection.sendall(data)
    return connection


def until_end(connection):
    got = b""
    with contextlib.suppress(ConnectionError):
        while piece := connection.recv(1 << 16):
            got += piece
    return got


def wait_for(condition, within):
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.1)


def in_a_thread(work):
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def resumed(server, text):
    """What a follower that was cut off has and gets by Last-Event-ID: every event, once."""
    blocks = text.partition(b"\r\n\r\n")[2].split(b"\n\n")[:-1]  # the last one may be cut in the middle
    joined = b"\n\n".join(blocks)
    last = re.findall(rb"^id: (\S+)", joined, re.M)[-1]
    had = [int(n) for n in re.findall(rb'^data: \{"id": (\d+),', joined, re.M)]
    assert had == list(range(len(had))) and len(had) < EVENTS, len(had)
    rest = until_end(opened(server, get(b"/v1/streams/s/events?limit=%d" % (EVENTS - len(had)),
                                        LIVE + b"Last-Event-ID: " + last + b"\r\nConnection: close\r\n")))
    assert [int(n) for n in re.findall(rb'^data: \{"id": (\d+),', rest, re.M)] == list(range(len(had), EVENTS))


def messages_until_closed(web_socket):
    """Its messages, then the code and the reason."""
    messages = []
    while True:
        kind, payload = web_socket.frame()
        if kind == CLOSE:
            return messages, struct.unpack("!H", payload[:2])[0], payload[2:].decode()
        if kind == TEXT:
            messages.append(json.loads(payload))


def resumed_socket(server, deaf):
    """Likewise over a WebSocket, which says why it was closed."""
    messages, code, reason = messages_until_closed(deaf)
    assert code == 1008 and ("takes nothing" in reason or "silent" in reason), (code, reason)
    ids = [event["id"] for message in messages for event in message.get("events", [])]
    cursor = messages[-1]["cursor"]
    again = Socket(server)
    again.send(frame(FIN | TEXT, json.dumps({"subscribe": "s", "id": 1, "from": cursor}).encode()))
    while len(ids) < EVENTS:
        kind, payload = again.frame()
        if kind == TEXT:
            ids += [event["id"] for event in json.loads(payload).get("events", [])]
    assert ids == list(range(EVENTS)), len(ids)
    again.close()


class Dripping:
    """Takes a byte a second."""

    def __init__(self, connection):
        self.connection, self.got = connection, b""
        self.enough = threading.Event()
        self.thread = in_a_thread(self.take)

    def take(self):
        with contextlib.suppress(ConnectionError):
            while not self.enough.wait(1):
                piece = self.connection.recv(1)
                if not piece:
                    return
                self.got += piece

    def end(self):
        self.enough.set()
        self.thread.join()
        return self.got


def kept_waiting(test):
    """All that has 30 seconds, at once: bodies that stop, followers that never read or take a byte a second."""
    server = test.server(options=["--heartbeat-seconds", "1"]).start()
    server.sql("CREATE STREAM s (id BIGINT, pad TEXT); CREATE STREAM t (id BIGINT)")
    of_t = POST.replace(b"/s/", b"/t/")
    stopped = [opened(server, of_t + b"Content-Length: 9\r\n\r\n{"), opened(server, CHUNKED.replace(b"/s/", b"/t/") + b"9\r\n{")]
    began = time.monotonic()
    body = b'{"id":1}'
    slow = opened(server, of_t + b"Content-Length: %d\r\n\r\n" % len(body))

    def drip():
        for at in range(len(body)):
            time.sleep(1.5)
            slow.sendall(body[at:at + 1])

    writer = in_a_thread(drip)
    never = [opened(server, FOLLOW, 4096) for _ in range(20)]
    dripping = Dripping(opened(server, FOLLOW, 4096))
    deaf = Socket(server, buffer=4096)
    deaf.send(frame(FIN | TEXT, b'{"subscribe":"s","id":1,"from":"start"}'))
    before = resident_mb(server)
    for first in range(0, EVENTS, 100):
        server.produce("s", [{"id": n, "pad": PAD} for n in range(first, first + 100)])
    assert resident_mb(server) - before < 100, "22 followers of 15 MB hold them in memory"
    writer.join()
    assert b'"accepted":1' in slow.recv(4096), "a body has time as long as it arrives"
    for connection in stopped:
        got = connection.recv(4096)
        assert got.startswith(b"HTTP/1.1 408 ") and b"MR-API-0017" in got, got
    assert 25 < time.monotonic() - began < 40
    # Two bodies, and every follower that took nothing.
    wait_for(lambda: server.metric("millrace_http_timeouts_total") >= 23, 30)
    assert server.metric("millrace_http_subscriptions") <= 1, "the slow one may go on"
    resumed_socket(server, deaf)
    resumed(server, until_end(never[0]))
    seen = dripping.end()
    assert seen.startswith(b"HTTP/1.1 200 ") and 20 < len(seen) < 60, seen
    assert server.sql("SELECT count(*) AS n FROM t") == [{"n": 1}]
    for connection in (*stopped, slow, *never, dripping.connection, deaf):
        connection.close()


def half_open(test):
    """Clients whose machine is gone without a word: what follows is noticed by heartbeats, what idles by its time."""
    server = test.server(options=["--heartbeat-seconds", "1", "--idle-seconds", "3"]).start()
    server.sql("CREATE STREAM s (id BIGINT)")

    def vanish(connection):
        """Closed without telling the other side."""
        connection.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, ON)
        connection.close()

    try:
        vanish(opened(server))
    except PermissionError:
        print("skipped half_open: only root's clients vanish without a word")
        return
    followers = [opened(server, FOLLOW) for _ in range(20)]
    for follower in followers:
        assert follower.recv(4096).startswith(b"HTTP/1.1 200")
    idle = [opened(server, get(b"/livez")) for _ in range(20)]
    for connection in idle:
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    with_half_a_body = [opened(server, CHUNKED + b"5\r\n{") for _ in range(5)]
    half_closed = opened(server, FOLLOW)
    half_closed.shutdown(socket.SHUT_WR)  # what has no end ends with it
    assert b"id: " in until_end(half_closed)
    assert server.metric("millrace_http_subscriptions") >= 20
    for connection in followers + idle:
        vanish(connection)
    server.produce("s", [{"id": 1}])
    wait_for(lambda: server.metric("millrace_http_subscriptions") == 0, 10)
    wait_for(lambda: server.metric("millrace_http_connections") <= 2 + len(with_half_a_body), 10)
    for connection in with_half_a_body:  # an aborted one tells the other side at once
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    wait_for(lambda: server.metric("millrace_http_arriving_bytes") == 0, 10)
    half_closed.close()


def idle_connections(test):
    """Ten thousand, in bounded memory; the one that asks is answered."""
    count = 10_000
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if limit < count + 200:
        print(f"idle_connections: {limit} files may be open here, so {limit - 200} connections instead of {count}")
        count = limit - 200
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    server = test.server(options=["--max-connections", str(count + 50), "--idle-seconds", "300"]).start()
    server.call("GET", "/livez")
    before = resident_mb(server)
    connections = []
    for _ in range(count):
        connection = opened(server, get(b"/livez"))
        connections.append(connection)
    for connection in connections:
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    assert server.metric("millrace_http_connections") >= count
    each = (resident_mb(server) - before) * 1024 / count
    assert each < 40, f"{each:.1f} KiB a connection"
    began = time.monotonic()
    assert server.call("GET", "/readyz")[0] == b"ready\n" and time.monotonic() - began < 2
    assert not select.select(connections[:500], [], [], 0)[0], "one was closed"
    for connection in connections:
        connection.close()
    wait_for(lambda: server.metric("millrace_http_connections") <= 2, 20)
    print(f"{count} idle connections: {each:.1f} KiB each")


def a_body_of_any_length(test):
    """More than a request's bound, in bounded memory; broken off and sent again by its key, each event counts once."""
    server = test.server(options=["--max-body-mb", "4", "--segment-mb", "16"]).start()
    server.sql("CREATE STREAM s (id BIGINT, pad TEXT) WITH (partitions = 2)")
    server.sql("CREATE MATERIALIZED VIEW v AS SELECT count(*) AS n, sum(id) AS total FROM s")
    pad, a_piece, pieces = "x" * 180, 5_000, 160

    def piece(number):
        first = number * a_piece
        return "".join(f'{{"id":{i},"pad":"{pad}"}}\n' for i in range(first, first + a_piece)).encode()

    def chunk(body):
        return b"%x\r\n%s\r\n" % (len(body), body)

    head = (b"POST /v1/streams/s/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
            b"Idempotency-Key: file-1\r\nTransfer-Encoding: chunked\r\n\r\n")
    before = resident_mb(server)
    broken = opened(server, head)
    for number in range(pieces // 2):
        broken.sendall(chunk(piece(number)))
    broken.close()
    whole = opened(server, head)
    for number in range(pieces):
        whole.sendall(chunk(piece(number)))
    whole.sendall(b"0\r\n\r\n")
    whole.settimeout(60)
    answer = whole.recv(65536)
    count = a_piece * pieces
    assert answer.startswith(b"HTTP/1.1 200") and b'{"accepted":%d,"rejected":[],"offsets":[],' % count in answer, answer
    grown = resident_mb(server) - before
    assert grown < 150, f"{grown} MiB for a body of {count * (len(pad) + 20) >> 20}"
    wait_for(lambda: server.sql("SELECT n, total FROM v") == [{"n": count, "total": count * (count - 1) // 2}], 30)
    whole.close()


if __name__ == "__main__":
    main([kept_waiting, half_open, idle_connections, a_body_of_any_length])
