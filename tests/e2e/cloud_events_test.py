#!/usr/bin/env python3
"""CloudEvents with their Python and JavaScript SDKs (tools/install_packages.sh test)."""
import json
import os
import re
import subprocess
import sys

from harness import ROOT, main

sys.path.insert(0, os.path.join(ROOT, "build", "python"))
from cloudevents.conversion import to_binary, to_structured  # noqa: E402
from cloudevents.http import CloudEvent, from_json  # noqa: E402

BATCH = "application/cloudevents-batch+json"


def events():
    plain = {"type": "order.placed", "source": "https://shop/1?a=b"}
    yield CloudEvent({**plain, "id": "json", "subject": "Euro € 100% \"q\"", "time": "2026-01-01T10:00:00Z",
                      "dataschema": "https://shop/schema#1", "traceparent": "00-ab-cd-01"},
                     {"amount": 9007199254740993, "to": {"city": "Zürich"}})
    yield CloudEvent({**plain, "id": "list", "datacontenttype": "application/json"}, [1, "two", None])
    yield CloudEvent({**plain, "id": "text", "datacontenttype": "text/plain"}, "a\nb")
    yield CloudEvent({**plain, "id": "bytes", "datacontenttype": "image/png"}, b"\x89PNG\x00\xff")
    yield CloudEvent({**plain, "id": "none"})


def same(got, sent):
    attributes = dict(sent.get_attributes())
    assert {k: v for k, v in got.get_attributes().items() if k in attributes} == attributes, (got, sent)
    data = sent.get_data()
    assert got.get_data() == data, (got, sent)


def declare(server, options=""):
    server.sql(f"""CREATE STREAM orders (ce_id TEXT, ce_type TEXT, ce_subject TEXT, ce_traceparent TEXT, amount BIGINT,
                   city TEXT PATH '$.to.city') WITH (format = 'cloudevents'{options})""")


def binary(event):
    """As the SDK says it; texts as they are (its own marshaller quotes them), and percent-encoded, which it leaves to
    its caller."""
    headers, body = to_binary(event, lambda data: json.dumps(data) if isinstance(data, (dict, list)) else data)
    encode = re.compile(r'[^!-~]|["%]')
    return {name: encode.sub(lambda c: "".join(f"%{b:02X}" for b in c[0].encode()), value) if name != "content-type"
            else value for name, value in headers.items()}, body


def post(server, headers, body, stream="orders"):
    return json.loads(server.call("POST", f"/v1/streams/{stream}/events", body, headers)[0])


def stored(server, stream="orders"):
    body, headers = server.call("GET", f"/v1/streams/{stream}/events", None, {"Accept": BATCH})
    assert headers["Content-Type"] == BATCH
    return [from_json(json.dumps(one)) for one in json.loads(body)]


def every_mode_in_and_out(test):
    server = test.server().start()
    declare(server)
    for mode in ("binary", "structured", "batched"):
        sent = list(events())
        before = len(stored(server))
        if mode == "batched":
            body = "[" + ",".join(to_structured(e)[1].decode() for e in sent) + "]"
            assert post(server, {"Content-Type": BATCH}, body)["accepted"] == len(sent)
        for event in sent if mode != "batched" else []:
            headers, body = (binary if mode == "binary" else to_structured)(event)
            answer = post(server, headers, body)
            assert answer["accepted"] == 1, answer
        got = stored(server)[before:]
        assert len(got) == len(sent), mode
        for one, other in zip(got, sent):
            same(one, other)
    first, headers = server.call("GET", "/v1/streams/orders/events", None, {"Accept": "application/cloudevents+json"})
    same(from_json(first), next(events()))
    cursor = headers["Millrace-Cursor"]
    second, _ = server.call("GET", f"/v1/streams/orders/events?from={cursor}", None,
                            {"Accept": "application/cloudevents+json"})
    assert from_json(second)["id"] == "list"
    rows = server.sql("SELECT ce_id, ce_subject, ce_traceparent, amount, city FROM orders WHERE ce_id = 'json'")
    assert rows == 3 * [{"ce_id": "json", "ce_subject": "Euro € 100% \"q\"", "ce_traceparent": "00-ab-cd-01",
                         "amount": 9007199254740993, "city": "Zürich"}], rows


def with_the_javascript_sdk(test):
    server = test.server().start()
    declare(server, ", partitions = 1")
    modules = os.path.join(ROOT, "build", "node", "node_modules")
    script = os.path.join(ROOT, "tests", "e2e", "cloud_events_sdk.js")
    done = subprocess.run(["node", script, server.url, "orders"], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "NODE_PATH": modules})
    assert done.returncode == 0, done.stderr


def an_event_counts_once(test):
    server = test.server().start()
    declare(server, ", deduplicate = '1 hour'")
    headers, body = to_structured(next(events()))
    assert post(server, headers, body)["accepted"] == 1
    for end in (server.kill, server.stop, lambda: None):
        end()
        if server.process is None:
            server.start()
        answer = post(server, headers, body)
        assert (answer["accepted"], answer["duplicates"]) == (0, 1), answer
    assert len(stored(server)) == 1


def illegal(test):
    server = test.server().start()
    declare(server)
    good = {"specversion": "1.0", "id": "1", "source": "/a", "type": "t"}
    cases = [({"specversion": "0.3"}, "MR-CE-0005"), ({"id": ""}, "MR-CE-0004"), ({"Illegal": "x"}, "MR-CE-0003"),
             ({"a-b": 1}, "MR-CE-0003"), ({"x": {}}, "MR-CE-0004"), ({"time": "noon"}, "MR-CE-0004"),
             ({"data_base64": "?"}, "MR-CE-0006"), ({"source": None}, "MR-CE-0002"), ({"x": 2**31}, "MR-CE-0004")]
    body = json.dumps([{**good, **change} for change, _ in cases])
    refused = server.refusal("POST", "/v1/streams/orders/events", body, {"Content-Type": BATCH})
    assert [r["code"] for r in refused.problem["rejected"]] == [code for _, code in cases], refused.body
    million = "[" + ",".join(["{}"] * 1_000_001) + "]"
    refused = server.refusal("POST", "/v1/streams/orders/events", million, {"Content-Type": BATCH})
    assert refused.problem["code"] == "MR-ING-0006", refused.body
    server.sql("CREATE STREAM plain (a TEXT)")
    headers, body = to_structured(next(events()))
    assert server.refusal("POST", "/v1/streams/plain/events", body, headers).problem["code"] == "MR-CE-0001"


if __name__ == "__main__":
    main([every_mode_in_and_out, with_the_javascript_sdk, an_event_counts_once, illegal])
