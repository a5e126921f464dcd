#!/usr/bin/env python3
"""Every operation of /openapi.json, called by tenant a with what is tenant b's: it gets what it would get if nobody had
that, to the byte. An operation without a row here fails the test."""
import http.client
import json
import os
import re

from bad_input.frames import FIN, TEXT, Socket, frame
from harness import main
from tokens_test import Guarded, wait_for

SECRET = "only_of_b"  # stands in every name and value of tenant b
SQL = {"Content-Type": "application/sql"}
JSON = {"Content-Type": "application/json"}
LIVE = {"Accept": "text/event-stream"}
BATCH = "application/cloudevents-batch+json"
LETTERS = 20

# What is b's, and the same of nobody; as long, so that even lengths are the same.
NOBODYS = {"stream": "only_of_c", "derived": "only_of_c_derived", "view": "only_of_c_view", "tenant": "c",
           "token": "0123456789abcdef", "letter": "91", "backup": "0123456789abcdef"}

STATEMENTS = [
    "SELECT * FROM {stream}", "SELECT * FROM {view}", "SELECT * FROM {derived} LIMIT 1", "SELECT * FROM \"{tenant}/{stream}\"",
    "SELECT * FROM \"{tenant}\".{stream}", "SELECT only_of_b_column FROM own", "SELECT o.id FROM own o JOIN {view} v ON v.name = o.name",
    "SELECT * FROM own WHERE id IN (SELECT id FROM {stream})", "SELECT count(*) AS n FROM TUMBLE({stream}, at, INTERVAL '1 minute')",
    "EXPLAIN SELECT * FROM {view}", "EXPLAIN SELECT * FROM {stream}", "DESCRIBE {stream}", "DESCRIBE {view}",
    "SUBSCRIBE TO {stream}", "SUBSCRIBE TO {view}", "SUBSCRIBE TO {derived}",
    "INSERT INTO {stream} (id) VALUES (1)", "INSERT INTO {view} (name) VALUES ('x')", "INSERT INTO own SELECT id, name FROM {stream}",
    "CREATE MATERIALIZED VIEW w AS SELECT id FROM {stream}", "CREATE MATERIALIZED VIEW w AS SELECT name FROM {view}",
    "CREATE STREAM w AS SELECT id FROM {derived}", "ALTER STREAM {stream} SET (retention = '1 day')", "ALTER STREAM {stream} ADD COLUMN x TEXT", "PAUSE {view}", "RESUME {view}", "PAUSE {derived}",
    "DROP STREAM {stream}", "DROP STREAM {derived}", "DROP MATERIALIZED VIEW {view}", "DROP STREAM IF EXISTS {stream}",
    "SELECT * FROM dead_letters WHERE query = '{view}'", "SELECT * FROM dead_letters WHERE query = '{derived}'",
    "SHOW STREAMS", "SHOW VIEWS", "SHOW QUERIES", "DESCRIBE dead_letters", "SELECT * FROM dead_letters",
]

SOCKET_COMMANDS = [
    {"publish": "{stream}", "id": 1, "events": [{"id": 1}]}, {"publish": "{stream}", "id": 1, "key": "k", "events": [{}]},
    {"publish": "{derived}", "id": 1, "events": [{"id": 1}]}, {"publish": "{tenant}/{stream}", "id": 1, "events": [{}]},
    {"subscribe": "{stream}", "id": 1}, {"subscribe": "{stream}", "id": 1, "from": "start"},
    {"subscribe": "{view}", "id": 1}, {"subscribe": "{derived}", "id": 1, "from": "{cursor}"}, {"unsubscribe": "{stream}"},
]


def sql(text):
    return ("/v1/sql", text, SQL)


def sql_with_parameters(text):
    return ("/v1/sql", json.dumps({"sql": text, "parameters": []}), JSON)


def of_letters(path, *more):
    return [(f"{path}?query={{view}}", *more), (f"{path}?query={{derived}}", *more), (f"{path}?stream={{stream}}", *more),
            (f"{path}?after={{letter}}", *more)]


# The operation, and what is tried: a target, or one with a body and headers.
ROWS = {
    "GET /": ["/"],
    "GET /livez": ["/livez"],
    "GET /readyz": ["/readyz"],
    "GET /openapi.json": ["/openapi.json"],
    "GET /asyncapi.json": ["/asyncapi.json", "/asyncapi.json?limit=1", "/asyncapi.json?after={streams_after}"],
    "GET /metrics": ["/metrics"],
    "GET /metrics/full": ["/metrics/full"],
    "GET /v1/ws": [],  # SOCKET_COMMANDS
    "POST /v1/sql": [sql(text) for text in STATEMENTS] + [sql_with_parameters(text) for text in STATEMENTS]
                    + [("/v1/sql", text, {**SQL, **LIVE}) for text in STATEMENTS],
    "GET /v1/streams": ["/v1/streams", "/v1/streams?limit=1", "/v1/streams?after={streams_after}"],
    "GET /v1/streams/{stream}": ["/v1/streams/{stream}", "/v1/streams/{derived}", "/v1/streams/{view}", "/v1/streams/{tenant}%2F{stream}"],
    "DELETE /v1/streams/{stream}": ["/v1/streams/{stream}", "/v1/streams/{derived}", "/v1/streams/{tenant}%2F{stream}"],
    "GET /v1/streams/{stream}/events": [
        "/v1/streams/{stream}/events", "/v1/streams/{derived}/events", "/v1/streams/{view}/events",
        "/v1/streams/{stream}/events?from=start&partition=0", "/v1/streams/{stream}/events?from={cursor}",
        "/v1/streams/{stream}/events?limit=100000", "/v1/streams/{tenant}%2F{stream}/events", "/v1/streams/{tenant}%2Fdead_letters/events",
        ("/v1/streams/{stream}/events", None, LIVE), ("/v1/streams/{derived}/events", None, LIVE),
        ("/v1/streams/{stream}/events", None, {**LIVE, "Last-Event-ID": "1-0"}),
        ("/v1/streams/{stream}/events", None, {"Accept": BATCH}),
        "/v1/streams/own/events?from={cursor}", "/v1/streams/dead_letters/events", "/v1/streams/dead_letters/events?from={cursor}"],
    "POST /v1/streams/{stream}/events": [
        ("/v1/streams/{stream}/events", "{}", JSON), ("/v1/streams/{derived}/events", "{}", JSON),
        ("/v1/streams/{tenant}%2F{stream}/events", "{}", JSON), ("/v1/streams/{stream}/events", "nonsense", JSON),
        ("/v1/streams/{stream}/events", "{}", {**JSON, "Idempotency-Key": "k"}),
        ("/v1/streams/{stream}/events", "[]", {"Content-Type": BATCH}),
        ("/v1/streams/{stream}/events", "{}", {"Content-Type": "text/plain"})],
    "GET /v1/views": ["/v1/views", "/v1/views?limit=1", "/v1/views?after={views_after}"],
    "GET /v1/views/{view}": ["/v1/views/{view}", "/v1/views/{stream}", "/v1/views/{tenant}%2F{view}"],
    "DELETE /v1/views/{view}": ["/v1/views/{view}", "/v1/views/{tenant}%2F{view}"],
    "GET /v1/queries": ["/v1/queries", "/v1/queries?limit=1", "/v1/queries?after={queries_after}"],
    "GET /v1/queries/{query}": ["/v1/queries/{view}", "/v1/queries/{derived}"],
    "POST /v1/queries/{query}/pause": ["/v1/queries/{view}/pause", "/v1/queries/{derived}/pause"],
    "POST /v1/queries/{query}/resume": ["/v1/queries/{view}/resume", "/v1/queries/{derived}/resume"],
    "GET /v1/dead-letters": ["/v1/dead-letters", "/v1/dead-letters?order=oldest&limit=1000", *of_letters("/v1/dead-letters")],
    "GET /v1/dead-letters/counts": ["/v1/dead-letters/counts", *of_letters("/v1/dead-letters/counts")],
    "POST /v1/dead-letters/redrive": ["/v1/dead-letters/redrive", *of_letters("/v1/dead-letters/redrive")],
    "GET /v1/dead-letters/{letter}": ["/v1/dead-letters/{letter}"],
    "PUT /v1/dead-letters/{letter}/payload": [("/v1/dead-letters/{letter}/payload", "{}", JSON),
                                              ("/v1/dead-letters/{letter}/payload", "nonsense", JSON)],
    "POST /v1/dead-letters/{letter}/dry-run": ["/v1/dead-letters/{letter}/dry-run"],
    "POST /v1/dead-letters/{letter}/redrive": ["/v1/dead-letters/{letter}/redrive"],
    "POST /v1/dead-letters/{letter}/discard": ["/v1/dead-letters/{letter}/discard"],
    "POST /v1/schemas/check": [("/v1/schemas/check", '{"subject":"{stream}","schemaType":"JSON","schema":"true","events":10}', JSON),
                               ("/v1/schemas/check", '{"subject":"own","schemaType":"JSON","schema":"{\\"$ref\\":\\"{stream}\\"}",'
                                '"references":[{"name":"{stream}","subject":"{stream}","version":1}]}', JSON)],
    "GET /v1/tenants": ["/v1/tenants", "/v1/tenants?limit=1"],
    "GET /v1/tenants/{tenant}": ["/v1/tenants/{tenant}"],
    "GET /v1/tenants/{tenant}/quotas": ["/v1/tenants/{tenant}/quotas"],
    "PUT /v1/tenants/{tenant}/quotas": [("/v1/tenants/{tenant}/quotas", '{"events_per_s":1}', JSON)],
    "POST /v1/backups": ["/v1/backups"],
    "POST /v1/backups/{backup}/cut": ["/v1/backups/{backup}/cut"],
    "POST /v1/backups/{backup}/registry": ["/v1/backups/{backup}/registry"],
    "POST /v1/backups/{backup}/renew": ["/v1/backups/{backup}/renew"],
    "DELETE /v1/backups/{backup}": ["/v1/backups/{backup}"],
    "GET /v1/tokens": ["/v1/tokens", "/v1/tokens?limit=1", "/v1/tokens?after={tokens_after}"],
    "POST /v1/tokens": [("/v1/tokens", '{"scopes":["query"],"tenant":"{tenant}"}', JSON),
                        ("/v1/tokens", '{"scopes":["query"],"all_tenants":true}', JSON)],
    "GET /v1/tokens/{token}": ["/v1/tokens/{token}"],
    "POST /v1/tokens/{token}/rotate": ["/v1/tokens/{token}/rotate", "/v1/tokens/{token}/rotate?overlap_seconds=0"],
    "DELETE /v1/tokens/{token}": ["/v1/tokens/{token}"],
}

# Their answers tell of the node as it is just now.
CHANGING = {"GET /metrics", "GET /metrics/full", "GET /v1/tokens"}


class Tenants:
    """A node with a tenant a that has little, and a tenant b that has something of every kind."""

    def __init__(self, test):
        self.guarded = Guarded(test, ["--schema-registry", "127.0.0.1:0"])
        self.server = self.guarded.server
        everything = ("admin", "query", "ingest", "read")
        self.a, self.b = (self.guarded.make(*everything, tenant=tenant) for tenant in "ab")
        self.sql("a", "CREATE STREAM own (id BIGINT, name TEXT)")
        self.sql("b", f"""CREATE STREAM {SECRET} (id BIGINT, name TEXT, {SECRET}_column TEXT);
            CREATE STREAM {SECRET}_derived AS SELECT id, 10 / id AS part FROM {SECRET};
            CREATE MATERIALIZED VIEW {SECRET}_view AS SELECT name, count(*) AS n FROM {SECRET} GROUP BY name""")
        self.register("b", SECRET)
        self.sql("b", f"CREATE STREAM {SECRET}_checked (id BIGINT) WITH (schema = '{SECRET}')")
        assert self.call("b", "POST", f"/v1/streams/{SECRET}_checked/events", '{"id":1}', JSON)[0] == 200
        self.call("a", "POST", "/v1/streams/own/events", '{"id":1}', JSON)
        events = json.dumps([{"id": 0, "name": SECRET} for _ in range(LETTERS)] + [{"id": 1, "name": SECRET}])
        status, _, sent = self.call("b", "POST", f"/v1/streams/{SECRET}/events", events, {**JSON, "Idempotency-Key": "k"})
        assert status == 200, sent
        wait_for(lambda: len(self.sql("b", "SELECT code FROM dead_letters").splitlines()) == LETTERS)
        self.theirs = {"stream": SECRET, "derived": f"{SECRET}_derived", "view": f"{SECRET}_view", "tenant": "b",
                       "token": self.b.split("_")[1], "letter": "17", "backup": self.backup()}
        self.shared = {"cursor": json.loads(sent)["cursor"], **{f"{kind}_after": self.after(kind) for kind in
                       ("streams", "views", "queries", "tokens")}}

    def call(self, tenant, method, target, body=None, headers=None):
        """The status, what of the headers does not change by itself, the body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        try:
            token = {"a": getattr(self, "a", None), "b": getattr(self, "b", None), "ops": self.guarded.admin}[tenant]
            connection.request(method, target, body, {**(headers or {}), "Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            told = {name: value for name, value in answer.getheaders() if name not in ("Date", "X-Request-Id")}
            return answer.status, told, re.sub(r',"request_id":"[^"]*"', "", answer.read().decode())
        finally:
            connection.close()

    def sql(self, tenant, text):
        status, _, answer = self.call(tenant, "POST", "/v1/sql", text, SQL)
        assert status == 200 and '"error"' not in answer, answer
        return answer

    def register(self, tenant, subject):
        with open(os.path.join(self.server.directory, "schema-registry.port"), encoding="ascii") as f:
            connection = http.client.HTTPConnection("127.0.0.1", int(f.read()), timeout=10)
        connection.request("POST", f"/subjects/{subject}/versions", json.dumps({"schemaType": "JSON", "schema": '{"type": "object"}'}),
                           {**JSON, "Authorization": f"Bearer {getattr(self, tenant)}"})
        assert connection.getresponse().status == 200
        connection.close()

    def backup(self):
        status, _, answer = self.call("ops", "POST", "/v1/backups")
        assert status == 200, answer
        return json.loads(answer)["id"]

    def after(self, kind):
        """The `next` of a page of b's."""
        self.guarded.make("read", tenant="b")  # so that there are two tokens
        page = json.loads(self.call("b", "GET", f"/v1/{kind}?limit=1")[2])
        return page["next"] or self.call("b", "GET", "/v1/streams?limit=1")[2].partition('"next":"')[2].partition('"')[0]

    def all_of_b(self):
        asks = [f"/v1/streams/{SECRET}/events", f"/v1/streams/{SECRET}_derived/events", "/v1/streams/dead_letters/events", "/v1/streams",
                "/v1/views", "/v1/dead-letters?limit=1000", f"/v1/streams/{SECRET}_checked/events", f"/v1/dead-letters/{self.theirs['letter']}", "/v1/tenants/b/quotas"]
        tokens = [{k: v for k, v in token.items() if k != "last_used_at"}
                  for token in json.loads(self.call("b", "GET", "/v1/tokens")[2])["items"]]
        states = self.sql("b", f"SELECT * FROM {SECRET}_view")
        return [self.call("b", "GET", target) for target in asks], tokens, states


def filled(text, known):
    return re.sub(r"\{(\w+)\}", lambda name: known[name[1]], text)


def nothing_of_b_in(tenants, asked, answer):
    """No name, value, token or series of b, but for what was asked with."""
    for word in re.findall(rf"{SECRET}\w*", answer):
        assert word in asked, (asked, word, answer[:600])
    assert 'tenant="b"' not in answer and '"name":"b"' not in answer, (asked, answer[:600])
    assert tenants.theirs["token"] not in answer or tenants.theirs["token"] in asked, (asked, answer[:600])


def told_alike(values, asked, told):
    """What was told, with the names of the values that were asked with in their place."""
    status, headers, body = told
    for name, value in values.items():
        if "{" + name + "}" in asked:
            body = re.sub(rf"\b{re.escape(value)}\b", name, body)
    return status, headers, body


def every_operation(test):
    tenants = Tenants(test)
    document = json.loads(tenants.server.call("GET", "/openapi.json")[0])
    operations = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    assert operations == set(ROWS), f"without a row, or without an operation: {sorted(operations ^ set(ROWS))}"
    before, tried = tenants.all_of_b(), 0
    for operation, tries in ROWS.items():
        method, path = operation.split()
        for one in tries:
            template, body, headers = (one, None, None) if isinstance(one, str) else one if len(one) == 3 else (*one, None, None)
            told = []
            for values in (tenants.theirs, NOBODYS):
                known = {**values, **tenants.shared}
                target, text = filled(template, known), body and filled(body, known)
                answer = tenants.call("a", method, target, text, headers)
                nothing_of_b_in(tenants, f"{target} {text}", answer[2] + str(answer[1]))
                told.append(told_alike(values, f"{template} {body}", answer))
                tried += 1
            assert operation in CHANGING or told[0] == told[1], (operation, one, *told)
            named = "{" in path and any("{" + name + "}" in template for name in NOBODYS)
            assert not named or 400 <= told[0][0] < 500, (operation, one, told[0])
    assert tenants.all_of_b() == before, "something of b's has changed"
    assert tried > 250


def over_web_socket(test):
    tenants = Tenants(test)
    before = tenants.all_of_b()
    web_socket = Socket(tenants.server, f"Authorization: Bearer {tenants.a}\r\n".encode())
    for command in SOCKET_COMMANDS:
        told = []
        for values in (tenants.theirs, NOBODYS):
            known = {**values, **tenants.shared}
            said = {name: filled(value, known) if isinstance(value, str) else value for name, value in command.items()}
            web_socket.send(frame(FIN | TEXT, json.dumps(said).encode()))
            kind, answer = web_socket.frame()
            assert kind == TEXT, answer
            nothing_of_b_in(tenants, json.dumps(said), answer.decode())
            told.append(told_alike(values, str(command), (0, {}, answer.decode())))
        assert told[0] == told[1] and '"error"' in told[0][2], (command, *told)
    web_socket.close()
    assert tenants.all_of_b() == before


def keys_and_ids_are_of_the_tenant(test):
    """An Idempotency-Key and a CloudEvent's id that b has used are fresh for a."""
    tenants = Tenants(test)
    event = json.dumps({"specversion": "1.0", "id": "1", "source": "s", "type": "t"})
    for tenant in "ba":
        tenants.sql(tenant, "CREATE STREAM same (id BIGINT); CREATE STREAM ce (ce_id TEXT) WITH (format = 'cloudevents', deduplicate = '1 hour')")
        sent = tenants.call(tenant, "POST", "/v1/streams/same/events", json.dumps({"id": ord(tenant)}), {**JSON, "Idempotency-Key": "key"})
        assert sent[0] == 200 and "Idempotency-Replayed" not in sent[1] and '"first":0' in sent[2], sent
        sent = tenants.call(tenant, "POST", "/v1/streams/ce/events", event, {"Content-Type": "application/cloudevents+json"})
        assert sent[0] == 200 and '"accepted":1' in sent[2], sent
    for tenant in "ba":
        assert tenants.call(tenant, "GET", "/v1/streams/same/events")[2] == json.dumps({"id": ord(tenant)}) + "\n"


if __name__ == "__main__":
    main([every_operation, over_web_socket, keys_and_ids_are_of_the_tenant])
