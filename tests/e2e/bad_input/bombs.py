"""What is small on the wire and large, deep or many inside: refused with a code, in bounded memory and time."""
import gzip
import json
import re
import threading
import time
import zlib

from bad_input.requests import resident_mb

MIB = 1 << 20
LARGE = 256 * MIB
JSON, NDJSON, BATCH = "application/json", "application/x-ndjson", "application/cloudevents-batch+json"


def gzip_bomb():
    return gzip.compress(bytes(LARGE), 9)


def deflate_bomb():
    return zlib.compress(bytes(LARGE), 9)


def zstd_bomb():
    """Blocks that say: 128 KiB of this byte (RFC 8878, 3.1.1.2)."""
    block = 128 * 1024
    head = b"\x28\xb5\x2f\xfd\x00\x58"  # no checksum, a window of 2 MiB
    blocks = [((1 if last else 0) | 1 << 1 | block << 3).to_bytes(3, "little") + b" " for last in
              [False] * (LARGE // block - 1) + [True]]
    return head + b"".join(blocks)


def many_at_once(server, count, *call):
    """The refusals of so many threads."""
    refused = []
    threads = [threading.Thread(target=lambda: refused.append(server.refusal(*call))) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == count
    return refused


def decompression_bombs(test):
    server = test.server().start()
    server.sql("CREATE STREAM s (id BIGINT)")
    server.refusal("POST", "/v1/streams/s/events", gzip.compress(b"x"), {"Content-Type": JSON, "Content-Encoding": "gzip"})
    before = resident_mb(server)
    for coding, body in (("gzip", gzip_bomb()), ("deflate", deflate_bomb()), ("zstd", zstd_bomb())):
        assert len(body) < LARGE / 500, coding
        headers = {"Content-Type": NDJSON, "Content-Encoding": coding}
        for refused in many_at_once(server, 4, "POST", "/v1/streams/s/events", body, headers):
            assert refused.status == 413 and refused.problem["code"] == "MR-API-0003", (coding, refused)
    grown = resident_mb(server) - before
    assert grown < 320, f"{grown:.0f} MiB more"  # four of up to 32 MiB, in buffers that double; all of it were 1 GiB
    for coding in ("gzip, gzip", "gzip,deflate,zstd"):
        refused = server.refusal("POST", "/v1/streams/s/events", b"x", {"Content-Type": NDJSON, "Content-Encoding": coding})
        assert refused.status == 415 and refused.problem["code"] == "MR-API-0023", refused
    assert server.events("s") == []


DEEP = b"[" * 100_000 + b"]" * 100_000
KEY = b'{"' + b"k" * 10_000_000 + b'":1}'
MANY = b"{" + b",".join(b'"%d":1' % n for n in range(80_000)) + b"}"

# Everything that reads JSON, and the status of what it cannot use.
READERS = [
    ("POST", "/v1/streams/s/events", JSON),
    ("POST", "/v1/streams/s/events", NDJSON),
    ("POST", "/v1/streams/c/events", "application/cloudevents+json"),
    ("POST", "/v1/streams/c/events", BATCH),
    ("POST", "/v1/sql", JSON),
    ("POST", "/v1/tokens", JSON),
    ("PUT", "/v1/tenants/default/quotas", JSON),
    ("PUT", "/v1/dead-letters/0/payload", JSON),
]


def whatever_reads_json(test):
    server = test.server().start()
    server.sql("CREATE STREAM s (id BIGINT); CREATE STREAM c (ce_id TEXT) WITH (format = 'cloudevents'); "
               "CREATE STREAM f AS SELECT 1 / id AS x FROM s")
    server.produce("s", [{"id": 0}])
    assert len(server.sql("SELECT cause FROM dead_letters")) == 1
    shapes = [DEEP, b'{"data":' + DEEP + b"}", b'{"sql":' + DEEP + b"}", KEY, b'{"a":1e400', b"\xff\xfe{\0}\0", b"NaN"]
    for method, path, kind in READERS:
        for shape in shapes:
            began = time.monotonic()
            refused = server.refusal(method, path, shape, {"Content-Type": kind})
            what = (method, path, kind, shape[:30], refused)
            assert 400 <= refused.status < 500 and re.search(r'"code":"MR-[A-Z]+-\d{4}"', refused.body), what
            assert len(refused.body) < 2000 and time.monotonic() - began < 5, what
    began = time.monotonic()  # 80,000 names in one event are read once
    assert json.loads(server.call("POST", "/v1/streams/s/events", MANY, {"Content-Type": JSON})[0])["accepted"] == 1
    assert time.monotonic() - began < 5
    assert len(server.events("s")) == 2


EVENT = b'{"specversion":"1.0","id":"1","source":"s","type":"t"}'

# Attributes that no CloudEvent has, in a batch and as headers: the name, the value.
ATTRIBUTES = [("A", "1"), ("has_line", "1"), ("has-dash", "1"), ("é", "1"), ("", "1"), ("a b", "1")]


def batches_of_cloud_events(test):
    server = test.server().start()
    server.sql("CREATE STREAM c (ce_id TEXT) WITH (format = 'cloudevents')")

    def send(count):
        body = b"[" + b",".join([EVENT] * count) + b"]"
        return server.refusal("POST", "/v1/streams/c/events", body, {"Content-Type": BATCH})

    refused = send(1_000_000)
    assert refused.status == 413 and refused.problem["code"] == "MR-API-0003", refused
    squeezed = gzip.compress(b"[" + b",".join([EVENT] * 1_000_000) + b"]", 1)
    refused = server.refusal("POST", "/v1/streams/c/events", squeezed, {"Content-Type": BATCH, "Content-Encoding": "gzip"})
    assert refused.status == 413 and refused.problem["code"] == "MR-API-0003", refused
    many = b"[" + b",".join([EVENT] * 100_000) + b"]"
    assert json.loads(server.call("POST", "/v1/streams/c/events", many, {"Content-Type": BATCH})[0])["accepted"] == 100_000
    for name, value in ATTRIBUTES:
        event = json.dumps({**json.loads(EVENT), name: value}).encode()
        refused = server.refusal("POST", "/v1/streams/c/events", b"[" + event + b"]", {"Content-Type": BATCH})
        assert refused.status == 400 and "MR-CE-" in refused.body and len(refused.body) < 2000, (name[:20], refused)
    assert server.sql("SELECT count(*) AS n FROM c") == [{"n": 100_000}]


TESTS = [decompression_bombs, whatever_reads_json, batches_of_cloud_events]
