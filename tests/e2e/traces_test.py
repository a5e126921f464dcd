#!/usr/bin/env python3
"""Traces: what a sender's context becomes on its way to subscribers, and the spans that a collector gets, which may be
slow, hang, refuse or be away."""
import contextlib
import http.server
import json
import os
import re
import socket
import threading
import time

from harness import free_port, main
from http_test import Live, parse_metrics
from telemetry_test import promtool

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"
EVENT = b'{"visitor":"ana"}\n'
NDJSON = {"Content-Type": "application/x-ndjson"}


class Collector:
    """Takes OTLP over HTTP; `answers` are the statuses of its first requests, then 200."""

    def __init__(self, port=0, answers=()):
        self.spans, self.requests, self.answers = [], [], list(answers)
        self.body, self.seconds = b"{}", 0  # of an answer
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # pylint: disable=invalid-name
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with outer.lock:
                    status = outer.answers.pop(0) if outer.answers else 200
                    outer.requests.append((self.path, self.headers["Content-Type"], status))
                    if status == 200:
                        outer.take(body)
                time.sleep(outer.seconds)
                with contextlib.suppress(ConnectionError):
                    self.send_response(status)
                    self.send_header("Content-Length", str(len(outer.body)))
                    self.end_headers()
                    self.wfile.write(outer.body)

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, body):
        (resource,) = body["resourceSpans"]
        attributes = {a["key"]: a["value"]["stringValue"] for a in resource["resource"]["attributes"]}
        assert attributes["service.name"] == "millrace", attributes
        (scope,) = resource["scopeSpans"]
        self.spans += scope["spans"]

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def wait(self, wanted, within=15):
        deadline = time.monotonic() + within
        while True:
            with self.lock:
                if wanted(self.spans):
                    return list(self.spans)
            assert time.monotonic() < deadline, self.spans
            time.sleep(0.05)


def named(spans, name):
    return [span for span in spans if span["name"].startswith(name)]


def attributes_of(span):
    return {a["key"]: a["value"].get("stringValue", a["value"].get("intValue")) for a in span["attributes"]}


def traced(test, port, *options):
    server = test.server(options=["--otlp-endpoint", f"http://127.0.0.1:{port}", *options]).start()
    server.sql("CREATE STREAM clicks (visitor TEXT); "
               "CREATE MATERIALIZED VIEW v AS SELECT visitor, count(*) AS n FROM clicks GROUP BY visitor")
    return server


def send(server, headers=None, stream="clicks", body=EVENT):
    return server.call("POST", f"/v1/streams/{stream}/events", body, {**NDJSON, **(headers or {})})


def metric(server, name, labels="{}"):
    return parse_metrics(server.call("GET", "/metrics")[0].decode())[name][1][name + labels]


def next_event(live):
    """The fields of the next event with data."""
    fields = {}
    while True:
        line = live.answer.readline().decode().rstrip("\n")
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif "data" in fields:
            return fields
        else:
            fields = {}


def a_request_is_followed_to_its_subscriber(test):
    collector = Collector()
    server = traced(test, collector.port, "--trace-sample", "0")
    follower = Live(server, "/v1/streams/clicks/events")
    send(server)  # not traced
    send(server, {"traceparent": PARENT, "tracestate": "a=1"})
    plain, event = next_event(follower), next_event(follower)
    assert "traceparent" not in plain, plain
    assert event["tracestate"] == "a=1", event
    spans = collector.wait(lambda spans: len(spans) >= 4)
    assert {span["traceId"] for span in spans} == {TRACE} and len(spans) == 4, spans
    (request,) = named(spans, "POST /v1/streams/{stream}/events")
    assert request["parentSpanId"] == SPAN and request["kind"] == 2 and request["traceState"] == "a=1", request
    assert attributes_of(request) == {
        "http.request.method": "POST", "http.route": "/v1/streams/{stream}/events", "http.response.status_code": "200",
        "messaging.system": "millrace", "messaging.operation.type": "send", "messaging.destination.name": "clicks",
        "messaging.batch.message_count": "1", "millrace.tenant": "default"}, request
    assert event["traceparent"] == f"00-{TRACE}-{request['spanId']}-01", event
    for name in ("journal sync", "step", "deliver"):
        (span,) = named(spans, name)
        assert span["parentSpanId"] == request["spanId"], span
        assert int(request["startTimeUnixNano"]) <= int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"]), span
    assert collector.requests[0][:2] == ("/v1/traces", "application/json"), collector.requests
    assert metric(server, "millrace_trace_spans_total") == 4
    promtool("check", "metrics", text=server.call("GET", "/metrics")[0])
    follower.close()
    collector.close()


def senders_decide_else_the_share(test):
    collector = Collector()
    server = traced(test, collector.port, "--trace-sample", "1")
    send(server, {"traceparent": PARENT[:-1] + "0"})
    for wrong in ("", "00-" + "0" * 32 + f"-{SPAN}-01", PARENT.upper(), PARENT + "-x", "x" * 3000, "ff" + PARENT[2:]):
        send(server, {"traceparent": wrong, "tracestate": "a=1"})
    refused = server.refusal("POST", "/v1/streams/nothing/events", EVENT, NDJSON)
    assert refused.status == 404
    spans = collector.wait(lambda spans: len(named(spans, "POST")) >= 7 and len(named(spans, "step")) >= 6)
    requests = named(spans, "POST")
    assert len(requests) == 7 and len({span["traceId"] for span in requests}) == 7
    assert not [span for span in requests if "parentSpanId" in span or "traceState" in span]
    (lost,) = [span for span in requests if attributes_of(span)["http.response.status_code"] == "404"]
    assert attributes_of(lost)["error.type"] == "MR-API-0018" and "status" not in lost, lost
    raw = (f"POST /v1/streams/clicks/events HTTP/1.1\r\nHost: localhost\r\ntraceparent: {PARENT}\r\n"
           f"Traceparent: {PARENT}\r\nContent-Type: application/x-ndjson\r\nContent-Length: {len(EVENT)}\r\n"
           "Connection: close\r\n\r\n").encode() + EVENT
    assert server.raw(raw).startswith(b"HTTP/1.1 200")
    spans = collector.wait(lambda spans: len(named(spans, "POST")) >= 8)
    assert TRACE not in {span["traceId"] for span in spans}, "given twice is malformed"
    collector.close()


def contexts_are_kept_without_a_collector(test):
    """Through a kill, into every way of reading that has a place for them."""
    server = test.server().start()
    server.sql("CREATE STREAM clicks (visitor TEXT); CREATE STREAM c (n BIGINT) WITH (format = 'cloudevents')")
    send(server)
    send(server, {"traceparent": PARENT, "tracestate": "a=1, b=2"}, body=EVENT * 2)
    send(server)
    server.kill()
    server.start()
    follower = Live(server, "/v1/streams/clicks/events?from=start")
    seen = [next_event(follower) for _ in range(4)]
    assert [event.get("traceparent") for event in seen] == [None, PARENT, PARENT, None], seen
    assert [event.get("tracestate") for event in seen] == [None, "a=1,b=2", "a=1,b=2", None], seen
    follower.close()
    page = json.loads(server.call("GET", "/v1/streams/clicks/events", None,
                                  {"Accept": "application/cloudevents-batch+json"})[0])
    assert [event.get("traceparent") for event in page] == [None, PARENT, PARENT, None], page
    assert [event.get("tracestate") for event in page] == [None, "a=1,b=2", "a=1,b=2", None], page
    lines = server.call("GET", "/v1/streams/clicks/events")[0]
    assert lines == EVENT * 4, lines
    # The distributed tracing extension of CloudEvents, in both modes; the request's own header goes first.
    event = {"specversion": "1.0", "id": "1", "source": "/a", "type": "t", "data": {"n": 1}, "traceparent": PARENT}
    other = f"00-{TRACE[::-1]}-{SPAN}-00"
    structured = {"Content-Type": "application/cloudevents+json"}
    binary = {"Content-Type": "application/json", "ce-specversion": "1.0", "ce-id": "2", "ce-source": "/a",
              "ce-type": "t", "ce-traceparent": PARENT}
    for headers, body in ((structured, json.dumps(event)), (binary, '{"n":2}'),
                          ({**structured, "traceparent": other}, json.dumps({**event, "id": "3"}))):
        server.call("POST", "/v1/streams/c/events", body.encode(), headers)
    follower = Live(server, "/v1/streams/c/events?from=start")
    assert [next_event(follower)["traceparent"] for _ in range(3)] == [PARENT, PARENT, other]
    follower.close()
    # What the log has of it, and that nothing else has grown.
    server.kill()
    lines = [json.loads(line) for line in test.cli("log", "dump", "--data", server.directory).stdout.splitlines()]
    frames = [line for line in lines if line.get("batches")]
    traced_ones = [frame for frame in frames if "trace" in [control["kind"] for control in frame["controls"]]]
    assert len(traced_ones) == 4 and len(frames) >= 6, frames


def a_collector_that_hangs_holds_nobody_up(test):
    """It takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        server = traced(test, silent.getsockname()[1], "--trace-sample", "1")
        one = (f"POST /v1/streams/clicks/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
               f"Content-Length: {len(EVENT)}\r\n\r\n").encode() + EVENT
        begun = time.monotonic()
        assert server.raw(one * 4000, timeout=30).count(b"HTTP/1.1 200 ") == 4000
        slow = time.monotonic() - begun
        assert slow < 20, f"4,000 requests took {slow:.1f} s"
        full = '{reason="full"}'
        assert metric(server, "millrace_trace_dropped_spans_total", full) > 0
        assert metric(server, "millrace_trace_waiting_spans") <= 8192
        begun = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begun < 8, "the end waits for the collector"


def a_collector_may_be_away_and_come_back(test):
    port = free_port()
    server = traced(test, port, "--trace-sample", "1")
    send(server)
    deadline = time.monotonic() + 15
    while metric(server, "millrace_trace_export_failures_total") == 0:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    collector = Collector(port, answers=[503])
    collector.wait(lambda spans: len(named(spans, "step")) == 1)
    assert metric(server, "millrace_trace_dropped_spans_total", '{reason="failed"}') == 0
    collector.answers = [400]
    send(server)
    deadline = time.monotonic() + 15
    while metric(server, "millrace_trace_dropped_spans_total", '{reason="failed"}') == 0:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert server.stop() == 0
    collector.close()


def what_waits_is_sent_at_the_end(test):
    collector = Collector()
    server = traced(test, collector.port, "--trace-sample", "1")
    send(server)
    assert server.stop() == 0
    assert len(named(collector.spans, "POST")) == 1, collector.spans
    collector.close()


def a_slow_collector_holds_up_the_end_for_one_call(test):
    """It answers just within a call's time; two requests have to be sent."""
    collector = Collector()
    server = traced(test, collector.port, "--trace-sample", "1")
    collector.seconds = 2.6
    for _ in range(400):
        send(server)
    collector.wait(lambda spans: len(spans) >= 512)
    begun = time.monotonic()
    assert server.stop() == 0
    took = time.monotonic() - begun
    assert took < 4.2, f"the end takes {took:.1f} s"
    collector.close()


def what_a_collector_rejects_is_dropped(test):
    collector = Collector()
    collector.body = b'{"partialSuccess":{"rejectedSpans":"1000","errorMessage":"too many"}}'
    server = traced(test, collector.port, "--trace-sample", "1")
    send(server)
    collector.wait(lambda spans: len(spans) >= 3)
    failed = '{reason="failed"}'
    deadline = time.monotonic() + 15
    while metric(server, "millrace_trace_dropped_spans_total", failed) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert metric(server, "millrace_trace_spans_total") == 0
    assert metric(server, "millrace_trace_export_failures_total") == 0
    collector.close()


def options_are_checked(test):
    path = os.path.join(test.root, "none")
    for options, says in ((["--otlp-endpoint", "collector:4318"], "not a server's address"),
                          (["--otlp-endpoint", "http://c:1/a?b"], "not a collector's address"),
                          (["--otlp-endpoint", "http://c:1", "--trace-sample", "1.5"], "trace-sample")):
        done = test.cli("serve", "--data", path, "--http", "127.0.0.1:0", *options)
        assert done.returncode == 2 and re.search(says, done.stderr), (options, done)


if __name__ == "__main__":
    main([a_request_is_followed_to_its_subscriber, senders_decide_else_the_share, contexts_are_kept_without_a_collector,
          a_collector_that_hangs_holds_nobody_up, a_collector_may_be_away_and_come_back, what_waits_is_sent_at_the_end,
          a_slow_collector_holds_up_the_end_for_one_call, what_a_collector_rejects_is_dropped, options_are_checked])
