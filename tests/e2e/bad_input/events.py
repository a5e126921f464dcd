"""What a bad event or body gets: its code, and nothing else is lost. A case is a line."""
import json
import time

from harness import Refused

COLUMNS = "id BIGINT, d DOUBLE PRECISION, flag BOOLEAN, name TEXT, at TIMESTAMPTZ, span INTERVAL"
NDJSON, JSON = "application/x-ndjson", "application/json"
DEEP = 100_000
MIB = 1 << 20

# An event that is refused between two good ones, and its code.
REFUSED = [
    # malformed JSON
    (b"nonsense", "MR-EVT-0001"),
    (b"{", "MR-EVT-0001"),
    (b'{"id":1', "MR-EVT-0001"),
    (b'{"id":1}}', "MR-EVT-0001"),
    (b'{"id":1} {"id":2}', "MR-EVT-0001"),
    (b'{"id":1,}', "MR-EVT-0001"),
    (b'{"id"}', "MR-EVT-0001"),
    (b"{'id':1}", "MR-EVT-0001"),
    (b"{id:1}", "MR-EVT-0001"),
    (b'{"id":1}/* no */', "MR-EVT-0001"),
    (b'{"x":tru}', "MR-EVT-0001"),
    (b'{"x":NaN}', "MR-EVT-0001"),
    (b'{"x":Infinity}', "MR-EVT-0001"),
    (b'{"x":01}', "MR-EVT-0001"),
    (b'{"x":+1}', "MR-EVT-0001"),
    (b'{"x":.5}', "MR-EVT-0001"),
    (b'{"x":1.}', "MR-EVT-0001"),
    (b'{"x":1e}', "MR-EVT-0001"),
    (b'{"x":0x1F}', "MR-EVT-0001"),
    (b'{"x":"a\tb"}', "MR-EVT-0001"),
    (b'{"x":"a\0b"}', "MR-EVT-0001"),
    (b'{"x":"\\x"}', "MR-EVT-0001"),
    (b'{"x":"\\u12"}', "MR-EVT-0001"),
    (b'\xef\xbb\xbf{"id":1}', "MR-EVT-0001"),
    (b"\0", "MR-EVT-0001"),
    # half surrogates, in a value that is read, in one that is not, in a name
    (b'{"name":"\\ud800"}', "MR-EVT-0001"),
    (b'{"name":"\\udc00"}', "MR-EVT-0001"),
    (b'{"name":"\\ud800\\ud800"}', "MR-EVT-0001"),
    (b'{"x":"\\ud83d"}', "MR-EVT-0001"),
    (b'{"\\ud800":1}', "MR-EVT-0001"),
    # no object
    (b"[]", "MR-EVT-0002"),
    (b'[{"id":1}]', "MR-EVT-0002"),
    (b"1", "MR-EVT-0002"),
    (b'"text"', "MR-EVT-0002"),
    (b"null", "MR-EVT-0002"),
    # invalid UTF-8: a stray byte, an overlong slash, a surrogate, beyond U+10FFFF, cut short
    (b'{"name":"\xff"}', "MR-EVT-0003"),
    (b'{"x":"\xc0\xaf"}', "MR-EVT-0003"),
    (b'{"x":"\xed\xa0\x80"}', "MR-EVT-0003"),
    (b'{"x":"\xf4\x90\x80\x80"}', "MR-EVT-0003"),
    (b'{"x":"\xe2\x82"}', "MR-EVT-0003"),
    (b'{"\xff":1}', "MR-EVT-0003"),
    # nesting
    (b'{"x":' + b"[" * DEEP + b"]" * DEEP + b"}", "MR-EVT-0004"),
    (b'{"x":' * DEEP + b"1" + b"}" * DEEP, "MR-EVT-0004"),
    (b"[" * DEEP, "MR-EVT-0004"),
    (b'{"x":' + b"[" * 256 + b"]" * 256 + b"}", "MR-EVT-0004"),
    # over the bound: a value, a name
    (b'{"name":"' + b"x" * MIB + b'"}', "MR-EVT-0005"),
    (b'{"' + b"k" * MIB + b'":1}', "MR-EVT-0005"),
    # wrong types
    (b'{"id":"1"}', "MR-EVT-0006"),
    (b'{"id":true}', "MR-EVT-0006"),
    (b'{"id":[1]}', "MR-EVT-0006"),
    (b'{"id":{}}', "MR-EVT-0006"),
    (b'{"d":"1.5"}', "MR-EVT-0006"),
    (b'{"d":"nan"}', "MR-EVT-0006"),
    (b'{"flag":1}', "MR-EVT-0006"),
    (b'{"flag":"true"}', "MR-EVT-0006"),
    (b'{"name":1}', "MR-EVT-0006"),
    (b'{"name":["a"]}', "MR-EVT-0006"),
    (b'{"at":true}', "MR-EVT-0006"),
    (b'{"span":1}', "MR-EVT-0006"),
    (b'{"id":1,"id":"x"}', "MR-EVT-0006"),  # of two the last one counts
    # numbers out of range
    (b'{"id":9223372036854775808}', "MR-EVT-0007"),
    (b'{"id":-9223372036854775809}', "MR-EVT-0007"),
    (b'{"id":18446744073709551616}', "MR-EVT-0007"),
    (b'{"id":' + b"1" * 1000 + b"}", "MR-EVT-0007"),
    (b'{"id":1.5}', "MR-EVT-0007"),
    (b'{"id":1e400}', "MR-EVT-0007"),
    (b'{"d":1e400}', "MR-EVT-0007"),
    (b'{"d":-1e400}', "MR-EVT-0007"),
    (b'{"at":1e400}', "MR-EVT-0007"),
    (b'{"at":9223372036854775807}', "MR-EVT-0007"),
    (b'{"at":253402300800000}', "MR-EVT-0007"),  # the year 10000
    # texts that are no times
    (b'{"at":"yesterday"}', "MR-EVT-0008"),
    (b'{"at":"2024-02-30T00:00:00Z"}', "MR-EVT-0008"),
    (b'{"at":"292277026596-12-04T15:30:08Z"}', "MR-EVT-0008"),
    (b'{"at":"9999-12-31T23:59:60Z"}', "MR-EVT-0008"),
    (b'{"span":"soon"}', "MR-EVT-0008"),
]

# An event at the edge of what is taken, and what a SELECT says of it.
TAKEN = [
    (b"{}", {"id": None, "name": None}),
    (b'{"id":9223372036854775807}', {"id": 9223372036854775807}),
    (b'{"id":-9223372036854775808}', {"id": -9223372036854775808}),
    (b'{"id":9007199254740993}', {"id": 9007199254740993}),  # no double in between
    (b'{"id":1e3}', {"id": 1000}),
    (b'{"id":1.0}', {"id": 1}),
    (b'{"id":-0}', {"id": 0}),
    (b'{"d":1e308}', {"d": 1e308}),
    (b'{"d":1e-400}', {"d": 0.0}),
    (b'{"d":5e-324}', {"d": 5e-324}),
    (b'{"d":"NaN"}', {"d": "NaN"}),
    (b'{"d":"-Infinity"}', {"d": "-Infinity"}),
    (b'{"d":123456789012345678901234567890}', {"d": 123456789012345678901234567890.0}),
    (b'{"d":0.' + b"1" * 1000 + b"}", {"d": 0.1111111111111111}),
    (b'{"x":1e400}', {"id": None}),  # nobody reads it
    (b'{"id":1,"id":2}', {"id": 2}),
    (b'{"id":"x","id":2}', {"id": 2}),
    (b'{"name":"a","name":null}', {"name": None}),
    (b'{"name":"\\ud83d\\ude00"}', {"name": "\U0001f600"}),
    (b'{"name":"\\u0000"}', {"name": "\0"}),
    (b'{"\\u006eame":"escaped"}', {"name": "escaped"}),
    (b'{"":1,"name":""}', {"name": ""}),
    (b'{"x":' + b"[" * 255 + b"]" * 255 + b',"id":3}', {"id": 3}),
    (b'{"name":"' + b"x" * (MIB - 11) + b'"}', {"name": "x" * (MIB - 11)}),
    (b'{"at":-1}', {"at": "1969-12-31T23:59:59.999Z"}),
    (b'{"at":1.5}', {"at": "1970-01-01T00:00:00.0015Z"}),
]

# A body that is refused whole: content type, bytes, status, code.
BODIES = [
    (JSON, b"", 400, "MR-EVT-0010"),
    (JSON, b"  \r\n", 400, "MR-EVT-0010"),
    (JSON, b"[", 400, "MR-EVT-0010"),
    (JSON, b"]", 400, "MR-EVT-0010"),
    (JSON, b"[{}", 400, "MR-EVT-0010"),
    (JSON, b"[{]", 400, "MR-EVT-0010"),
    (JSON, b"[,]", 400, "MR-EVT-0010"),
    (JSON, b"[{},]", 400, "MR-EVT-0010"),
    (JSON, b"[{}]x", 400, "MR-EVT-0010"),
    (JSON, b"[{}][{}]", 400, "MR-EVT-0010"),
    (JSON, b"1", 400, "MR-EVT-0010"),
    (JSON, b'"x"', 400, "MR-EVT-0010"),
    (JSON, b"null", 400, "MR-EVT-0010"),
    (JSON, b"[" * DEEP, 400, "MR-EVT-0010"),
    (JSON, b"\xef\xbb\xbf[{}]", 400, "MR-EVT-0010"),
    (JSON, b"[]", 400, "MR-API-0012"),
    (NDJSON, b"", 400, "MR-API-0012"),
    (NDJSON, b"\n \r\n\n", 400, "MR-API-0012"),
    (NDJSON, b"{}\n" * 1_000_001, 400, "MR-ING-0006"),
    (NDJSON, b"x" * (32 * MIB + 1), 413, "MR-API-0003"),
    ("text/plain", b"{}", 415, "MR-API-0006"),
    ("", b"{}", 415, "MR-API-0006"),
    ("application/x-www-form-urlencoded", b"{}", 415, "MR-API-0006"),
    ("multipart/form-data; boundary=x", b"{}", 415, "MR-API-0006"),
    ("text/plain; application/json", b"{}", 415, "MR-API-0006"),
]


def started(test, more="WITH (partitions = 1)"):
    server = test.server().start()
    server.sql(f"CREATE STREAM s ({COLUMNS}) {more}")
    return server


def send(server, body, kind=NDJSON, stream="s", **headers):
    return server.call("POST", f"/v1/streams/{stream}/events", body, {"Content-Type": kind, **headers})


def bad_events(test):
    """Every one is refused by its code, alone; what stood beside it is kept, also across a kill."""
    server = started(test, "WITH (key = 'name', partitions = 2)")
    want = []
    for number, (event, code) in enumerate(REFUSED):
        good = [json.dumps({"id": 2 * number + i, "name": f"n{number % 5}"}).encode() for i in range(2)]
        answer = json.loads(send(server, good[0] + b"\n" + event + b"\n" + good[1])[0])
        what = (event[:60], answer)
        assert answer["accepted"] == 2 and len(answer["rejected"]) == 1, what
        rejected = answer["rejected"][0]
        assert rejected["index"] == 1 and rejected["code"] == code and 0 < len(rejected["message"]) < 310, what
        want += [2 * number, 2 * number + 1]
    server.kill()
    server.start()
    assert sorted(e["id"] for e in server.events("s")) == want
    assert server.stop() == 0
    server.check_verify()


def edges_of_what_is_taken(test):
    server = started(test)
    for event, _ in TAKEN:
        assert json.loads(send(server, b"[" + event + b"]", JSON)[0])["accepted"] == 1, event[:60]
    server.sql("CREATE MATERIALIZED VIEW v AS SELECT id, d, flag, name, at, span FROM s")
    for source in ("s", "v"):
        rows = server.sql(f"SELECT * FROM {source}")
        assert len(rows) == len(TAKEN), (source, len(rows))
        for (event, want), row in zip(TAKEN, rows):
            got = {column: row[column] for column in want}
            assert got == want, (source, event[:60], got)
    stored, _ = server.call("GET", "/v1/streams/s/events?limit=10000")
    assert stored.splitlines()[1] == TAKEN[1][0], "an event is kept byte by byte"
    assert server.stop() == 0
    server.check_verify()


def bad_bodies(test):
    server = started(test)
    for kind, body, status, code in BODIES:
        refused = server.refusal("POST", "/v1/streams/s/events", body, {"Content-Type": kind})
        what = (kind, body[:30], refused)
        assert refused.status == status and refused.problem["code"] == code and refused.problem["message"], what
    many = server.refusal("POST", "/v1/streams/s/events", b"x\n" * 150, {"Content-Type": NDJSON})
    assert many.status == 400 and many.problem["accepted"] == 0, many
    assert len(many.problem["rejected"]) == 100 and many.problem["rejected_more"] == 50, many
    assert server.events("s") == []
    refused = server.refusal("POST", "/v1/streams/nothing/events", b"{}", {"Content-Type": JSON})
    assert refused.status == 404 and refused.problem["code"] == "MR-API-0018", refused
    assert json.loads(send(server, b"{}")[0])["accepted"] == 1


def used_keys(test):
    """The same body gives the first answer again, another one a conflict: now, after a kill, after a stop."""
    server = started(test)
    first, headers = send(server, b'{"id":1}', **{"Idempotency-Key": "k"})
    assert "Idempotency-Replayed" not in headers
    for end in (lambda: None, server.kill, server.stop):
        if end() is not None or server.process is None:
            server.start()
        again, headers = send(server, b'{"id":1}', **{"Idempotency-Key": "k"})
        assert again == first and headers["Idempotency-Replayed"] == "true", again
        for other in (b'{"id":2}', b'{"id":1} ', b"["):
            refused = server.refusal("POST", "/v1/streams/s/events", other, {"Content-Type": JSON, "Idempotency-Key": "k"})
            assert refused.status == 422 and refused.problem["code"] == "MR-ING-0007", refused
    for key in ("", "k" * 256):
        refused = server.refusal("POST", "/v1/streams/s/events", b"{}", {"Content-Type": JSON, "Idempotency-Key": key})
        assert refused.status == 400 and refused.problem["code"] == "MR-ING-0004", refused
    refused = server.refusal("POST", "/v1/streams/s/events", b"[", {"Content-Type": JSON, "Idempotency-Key": "new"})
    assert refused.problem["code"] == "MR-EVT-0010", refused
    send(server, b"[{}]", JSON, **{"Idempotency-Key": "new"})  # what was refused whole did not use the key up
    assert [e.get("id") for e in server.events("s")] == [1, None]


def cursors_that_are_gone(test):
    """Retention frees segments of 8 MiB: an old cursor says so, a page, live and at the command line."""
    server = test.server(options=["--segment-mb", "8"]).start()
    server.whole = False
    server.sql("CREATE STREAM s (id BIGINT) WITH (retention_bytes = 1000000)")
    old = json.loads(send(server, b'{"id":0}')[0])["cursor"]
    pad = "x" * 1000
    lines = [json.dumps({"id": n, "pad": pad}) for n in range(20_000)]
    for at in range(0, len(lines), 2000):
        send(server, "\n".join(lines[at:at + 2000]).encode())
    assert server.stop() == 0  # what is known of keys is written: the segments are not needed for them
    server.start()
    refused, until = None, time.monotonic() + 20
    while refused is None and time.monotonic() < until:
        try:
            server.call("GET", f"/v1/streams/s/events?from={old}&limit=1")
            time.sleep(0.1)
        except Refused as gone:
            refused = gone
    assert refused is not None, "nothing was freed"
    assert refused.status == 410 and refused.problem["code"] == "MR-EVS-0001" and refused.problem["hint"], refused
    for headers in ({"Accept": "text/event-stream", "Last-Event-ID": old}, {}):
        refused = server.refusal("GET", f"/v1/streams/s/events?from={old}", None, headers)
        assert refused.status == 410 and refused.problem["code"] == "MR-EVS-0001", refused
    for follow in ([], ["--follow"]):
        done = test.cli("consume", "--server", server.url, "s", "--from", old, *follow)
        assert done.returncode == 1 and "MR-EVS-0001" in done.stderr, done
    ids = [e["id"] for e in server.events("s")]
    assert ids and ids == list(range(ids[0], 20_000)), "what is kept is whole"


TESTS = [bad_events, edges_of_what_is_taken, bad_bodies, used_keys, cursors_that_are_gone]
