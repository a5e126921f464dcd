"""What bad HTTP gets: a status and a code, never an event, never a crash. A case is a line."""
import contextlib
import http.client
import re
import socket
import threading
import time

HOST = b"Host: localhost\r\n"
POST = b"POST /v1/streams/s/events HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
BODY = b"2\r\n{}\r\n0\r\n\r\n"


def get(target, more=b""):
    return b"GET " + target + b" HTTP/1.1\r\n" + HOST + more + b"\r\n"


# Bytes, the status, the code.
REFUSED = [
    # framing that two readers could take apart differently
    (POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n" + BODY, 400, "MR-API-0001"),
    (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n" + BODY, 400, "MR-API-0001"),
    (POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", 400, "MR-API-0001"),
    (POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400, "MR-API-0001"),
    (POST + b"Content-Length: 2, 2\r\n\r\n{}", 400, "MR-API-0001"),
    (POST + b"Content-Length: +2\r\n\r\n{}", 400, "MR-API-0001"),
    (POST + b"Content-Length: -2\r\n\r\n{}", 400, "MR-API-0001"),
    (POST + b"Content-Length: 0x2\r\n\r\n{}", 400, "MR-API-0001"),
    (POST + b"Content-Length: 18446744073709551616\r\n\r\n{}", 400, "MR-API-0001"),
    (POST + b"Content-Length : 2\r\n\r\n{}", 400, "MR-API-0001"),
    (POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n" + BODY, 400, "MR-API-0001"),
    (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + BODY, 400, "MR-API-0001"),
    (POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + BODY, 400, "MR-API-0001"),
    (POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n" + BODY, 400, "MR-API-0001"),
    (POST + b"Transfer-Encoding: xchunked\r\n\r\n" + BODY, 400, "MR-API-0001"),
    (POST.replace(b"1.1", b"1.0", 1) + b"Transfer-Encoding: chunked\r\n\r\n" + BODY, 400, "MR-API-0001"),
    # chunks
    (CHUNKED + b"10000000000000000\r\n{}\r\n0\r\n\r\n", 400, "MR-API-0001"),
    (CHUNKED + b"ffffffffffffffff\r\n{}\r\n0\r\n\r\n", 413, "MR-API-0003"),
    (CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n", 400, "MR-API-0001"),
    (CHUNKED + b"2;a=\x01\r\n{}\r\n0\r\n\r\n", 400, "MR-API-0001"),
    (CHUNKED + b"2;a=\n\r\n{}\r\n0\r\n\r\n", 400, "MR-API-0001"),
    (CHUNKED + b"2;" + b"a" * 100_000 + b"\r\n{}\r\n0\r\n\r\n", 400, "MR-API-0001"),
    (CHUNKED + b"2\r\n{}0\r\n\r\n", 400, "MR-API-0001"),
    (CHUNKED + b"2\r\n{}\r\n0\r\nContent-Length: 5\r\n\r\n", 400, "MR-API-0001"),
    (CHUNKED + b"2\r\n{}\r\n0\r\n" + b"X: y\r\n" * 20_000 + b"\r\n", 400, "MR-API-0001"),
    # lines
    (get(b"/livez", b"X: a\nY: b\r\n"), 400, "MR-API-0001"),
    (get(b"/livez", b"X: a\rY: b\r\n"), 400, "MR-API-0001"),
    (get(b"/livez", b"X: a\0b\r\n"), 400, "MR-API-0001"),
    (get(b"/livez", b"X: a\r\n folded\r\n"), 400, "MR-API-0001"),
    (get(b"/livez", b"X a\r\n"), 400, "MR-API-0001"),
    (b"GET /livez\r\n\r\n", 400, "MR-API-0001"),
    (b"SSH-2.0-OpenSSH_9\r\n", 400, "MR-API-0001"),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), 400, "MR-API-0001"),
    (bytes(1000), 400, "MR-API-0001"),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "MR-API-0021"),
    (b"GET /livez HTTP/1.2\r\n" + HOST + b"\r\n", 505, "MR-API-0021"),
    # sizes
    (get(b"/livez", b"X: y\r\n" * 10_000), 431, "MR-API-0002"),
    (get(b"/livez", b"X: " + b"y" * 1_000_000 + b"\r\n"), 431, "MR-API-0002"),
    (get(b"/" + b"x" * 100_000), 431, "MR-API-0002"),
    (POST + b"Content-Length: 99999999999\r\n\r\n{}", 413, "MR-API-0003"),
    (POST.replace(b"/json", b"/x-ndjson") + b"Content-Length: 9999999999999999\r\n\r\n{}", 413, "MR-API-0003"),
    # Host, Origin
    (b"GET /livez HTTP/1.1\r\n\r\n", 400, "MR-API-0007"),
    (get(b"/livez", HOST), 400, "MR-API-0007"),
    (b"GET /livez HTTP/1.1\r\nHost:\r\n\r\n", 400, "MR-API-0007"),
    (b"GET /livez HTTP/1.1\r\nHost: u@localhost\r\n\r\n", 400, "MR-API-0007"),
    (b"GET /livez HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421, "MR-API-0008"),
    (b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n\r\n", 421, "MR-API-0008"),
    (get(b"http://evil.example/livez"), 421, "MR-API-0008"),
    (get(b"http://u@localhost/livez"), 400, "MR-API-0007"),
    (get(b"/livez", b"Origin: http://evil.example\r\n"), 403, "MR-API-0009"),
    (get(b"/livez", b"Origin: null\r\n"), 403, "MR-API-0009"),
    (get(b"/v1/streams/s/events", b"Origin: http://localhost:3000\r\n"), 403, "MR-API-0009"),
    (POST + b"Origin: http://evil.example\r\nContent-Length: 2\r\n\r\n{}", 403, "MR-API-0009"),
    # fields that may come once
    (POST + b"Idempotency-Key:\r\nIdempotency-Key: a\r\nContent-Length: 2\r\n\r\n{}", 400, "MR-API-0007"),
    (POST + b"Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", 400, "MR-API-0007"),
    (POST + b"Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}", 415, "MR-API-0023"),
    (POST + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", 400, "MR-API-0024"),
    (POST + b"Expect: 200-ok\r\nContent-Length: 2\r\n\r\n{}", 417, "MR-API-0019"),
    # targets
    (get(b"ftp://localhost/livez"), 400, "MR-API-0013"),
    (get(b"*"), 400, "MR-API-0013"),
    (get(b"/%2e%2e/livez"), 400, "MR-API-0013"),
    (get(b"/v1/../livez"), 400, "MR-API-0013"),
    (get(b"/v1/streams/s%00/events"), 400, "MR-API-0013"),
    (get(b"/v1/streams/%c0%af/events"), 400, "MR-API-0013"),
    (get(b"/v1/streams/%zz/events"), 400, "MR-API-0013"),
    (get(b"//livez"), 404, "MR-API-0004"),
    (get(b"/livez/"), 404, "MR-API-0004"),
    (get(b"/v1/streams/s/events/more"), 404, "MR-API-0004"),
    (get(b"/v1/streams/nothing/events"), 404, "MR-API-0018"),
    (get(b"/v1/streams/a%2Fb/events"), 404, "MR-API-0018"),
    (b"PATCH /v1/sql HTTP/1.1\r\n" + HOST + b"\r\n", 405, "MR-API-0005"),
    (b"TRACE / HTTP/1.1\r\n" + HOST + b"\r\n", 405, "MR-API-0005"),
    (b"get /livez HTTP/1.1\r\n" + HOST + b"\r\n", 405, "MR-API-0005"),
    # a read's parameters
    (get(b"/v1/streams/s/events?from="), 400, "MR-API-0010"),
    (get(b"/v1/streams/s/events?from=x"), 400, "MR-API-0010"),
    (get(b"/v1/streams/s/events?from=-1"), 400, "MR-API-0010"),
    (get(b"/v1/streams/s/events?from=1-99999999999"), 400, "MR-API-0010"),
    (get(b"/v1/streams/s/events?from=99999999999999999999-0"), 400, "MR-API-0010"),
    (get(b"/v1/streams/s/events?from=999999-0"), 400, "MR-EVS-0004"),
    (get(b"/v1/streams/s/events", b"Accept: text/event-stream\r\nLast-Event-ID: x\r\n"), 400, "MR-API-0010"),
    (get(b"/v1/streams/s/events", b"Accept: text/event-stream\r\nLast-Event-ID: 999999-0\r\n"), 400, "MR-EVS-0004"),
    (get(b"/v1/streams/s/events?from=5"), 400, "MR-API-0011"),
    (get(b"/v1/streams/s/events?from=2024-99-99T00:00:00Z"), 400, "MR-API-0011"),
    (get(b"/v1/streams/s/events?partition=9"), 400, "MR-API-0011"),
    (get(b"/v1/streams/s/events?partition=65536"), 400, "MR-API-0011"),
    (get(b"/v1/streams/s/events?limit=0"), 400, "MR-API-0011"),
    (get(b"/v1/streams/s/events?limit=-1"), 400, "MR-API-0011"),
    (get(b"/v1/streams/s/events?limit=99999999999999999999"), 400, "MR-API-0011"),
    (get(b"/v1/streams/s/events?what=1"), 400, "MR-API-0011"),
    (get(b"/v1/streams/s/events?limit=1&limit=2"), 400, "MR-API-0013"),
]

# Bytes, and the statuses of the answers: how many requests they are, for us.
TAKEN = [
    (POST + b"Content-Length: 2\r\n\r\n{}" + get(b"/livez"), [200, 200]),
    (POST + b"Transfer-Encoding: CHUNKED\r\n\r\n" + BODY + get(b"/livez"), [200, 200]),
    (get(b"/livez", b"Content-Length: 5\r\n") + b"hello" + get(b"/livez"), [200, 200]),
    (get(b"/livez") + b"GET /livez HT", [200]),
    (get(b"http://localhost/livez"), [200]),
    (b"GET /livez HTTP/1.0\r\n\r\n", [200]),
    (get(b"/livez", b"Origin: http://localhost\r\n"), [200]),
    (POST + b"\r\n", [400]),  # no length, so no body
    (POST + b"Content-Length: 10\r\n\r\n{}", []),  # half a body is no request
    (CHUNKED + b"5\r\n{}", []),
]


def started(test):
    server = test.server().start()
    server.sql("CREATE STREAM s (id BIGINT, pad TEXT) WITH (partitions = 2)")
    return server


def bad_requests(test):
    server = started(test)
    for data, status, code in REFUSED:
        got = server.raw(data)
        what = (data[:200], got[:600])
        assert re.match(rb"HTTP/1\.[01] (\d+)", got).group(1) == b"%d" % status, what
        assert re.search(rb'"code":"([^"]+)"', got).group(1).decode() == code, what
        assert b"application/problem+json" in got, what
        if code == "MR-API-0001":
            assert b"Connection: close" in got and len(re.findall(rb"^HTTP/1", got, re.M)) == 1, what
    assert server.events("s") == [], "nothing of a refused request is taken"
    for data, statuses in TAKEN:
        got = server.raw(data)
        assert [int(s) for s in re.findall(rb"HTTP/1\.[01] (\d+)", got)] == statuses, (data[:200], got)
    assert server.events("s") == [{}, {}]
    assert server.metric("millrace_http_bad_framing_total") > 30
    assert server.metric("millrace_http_arriving_bytes") == 0


def in_pieces(server, data, pieces):
    """As Server.raw, but in pieces that arrive one after the other."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        got = b""
        with contextlib.suppress(ConnectionError):
            for piece in pieces(data):
                connection.sendall(piece)
                time.sleep(0)  # the server's turn
            connection.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while more := connection.recv(1 << 16):
                got += more
        return got


def single_bytes(data):
    return (data[i:i + 1] for i in range(len(data)))


def cut_anywhere(random):
    def cut(data):
        at = 0
        while at < len(data):
            end = at + random.randrange(1, 40)
            yield data[at:end]
            at = end
    return cut


def requests_in_pieces(test):
    """However the bytes arrive, each request gets what it gets when they come at once."""
    server = started(test)

    def verdict(got):
        return re.findall(rb"^HTTP/1\.[01] (\d+)", got, re.M), re.findall(rb'"code":"([^"]+)"', got)

    ends = [  # where a parser of chunks has the least in its hands
        (CHUNKED + b"0\r\n\r\n", [b"400"]),
        (CHUNKED + b"0;a=b\r\nX: y\r\n\r\n", [b"400"]),
        (CHUNKED + b"000002;x\r\n{}\r\n00\r\n\r\n" + get(b"/livez"), [b"200", b"200"]),
    ]
    cases = [data for data, *_ in REFUSED + TAKEN + ends if len(data) < 2000]
    for data, statuses in ends:
        assert verdict(server.raw(data))[0] == statuses, data
    for data in cases:
        want = verdict(server.raw(data))
        for pieces in (single_bytes, cut_anywhere(test.random), cut_anywhere(test.random)):
            got = verdict(in_pieces(server, data, pieces))
            # A head that does not end is not judged; its connection is.
            assert got == want or (b"\r\n\r\n" not in data and got == ([], [])), (data, want, got)
    assert server.call("GET", "/livez")[0] == b"live\n"


def resident_mb(server):
    with open(f"/proc/{server.process.pid}/status", encoding="ascii") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1)) / 1024


def slow_clients(test):
    """Fifty that never finish a header and twenty that do not read what they follow: others are served, the memory
    stays, the slow readers miss nothing."""
    server = started(test)

    def connect(data, buffer=None):
        connection = socket.socket()
        if buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        connection.settimeout(30)
        connection.connect(("127.0.0.1", server.port))
        connection.sendall(data)
        return connection

    began = time.monotonic()
    writers = [connect(b"GET /livez HTTP/1.1\r\nX: ") for _ in range(50)]
    readers = [connect(get(b"/v1/streams/s/events?from=start&limit=4000", b"Accept: text/event-stream\r\n"), 4096)
               for _ in range(20)]
    before = resident_mb(server)
    dripping = threading.Event()

    def drip():
        while not dripping.wait(0.5):
            for writer in writers[:25]:  # a byte now and then buys a header no time
                try:
                    writer.send(b"y")
                except OSError:
                    return

    thread = threading.Thread(target=drip)
    thread.start()
    pad = "x" * 5000
    for first in range(0, 4000, 100):
        assert server.produce("s", [{"id": i, "pad": pad} for i in range(first, first + 100)])["accepted"] == 100
    assert server.call("GET", "/readyz")[0] == b"ready\n"
    grown = resident_mb(server) - before
    assert grown < 150, f"{grown:.0f} MiB more for 20 MB of events"  # 400 MB, if each reader had them all
    for reader in readers:
        answer = http.client.HTTPResponse(reader)
        answer.begin()
        assert [int(n) for n in re.findall(rb'^data: \{"id": (\d+),', answer.read(), re.M)] == list(range(4000))
    for writer in writers:
        writer.settimeout(20)
        got = writer.recv(4096)
        assert got.startswith(b"HTTP/1.1 408 ") and b"MR-API-0017" in got, got
    dripping.set()
    thread.join()
    assert time.monotonic() - began > 9, "a header has ten seconds"
    assert server.metric("millrace_http_timeouts_total") == 50
    for connection in writers + readers:
        connection.close()


def too_many_connections(test):
    server = test.server(options=["--max-connections", "3"]).start()
    held = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(3)]
    for connection in held:
        connection.sendall(get(b"/livez"))
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    got = server.raw(b"")
    assert got.startswith(b"HTTP/1.1 503") and b"MR-API-0016" in got and b"Retry-After: 1" in got, got
    for connection in held:
        connection.close()
    deadline = time.monotonic() + 10
    while b"MR-API-0016" in server.raw(get(b"/livez", b"Connection: close\r\n")):
        assert time.monotonic() < deadline
    assert server.call("GET", "/livez")[0] == b"live\n"


TESTS = [bad_requests, requests_in_pieces, slow_clients, too_many_connections]
