"""Two tenants of a tokens file on one node. What one gets of the other's through each operation: isolation_test.py."""
import hashlib
import json
import os
import time

from harness import Refused

SECRET = "only_of_b"  # stands in every name and value of tenant b

SQL = {"Content-Type": "application/sql"}
EVENTS = {"Content-Type": "application/json"}
LIVE = {"Accept": "text/event-stream"}

# Calls without a token, or with none of the server's.
CALLS = [
    ("GET", "/metrics", None, {}),
    ("GET", "/metrics/full", None, {}),
    ("GET", "/v1/streams/only_of_b/events", None, {}),
    ("GET", "/v1/streams/only_of_b/events", None, LIVE),
    ("GET", "/v1/streams/nothing/events", None, {}),
    ("POST", "/v1/streams/only_of_b/events", "{}", EVENTS),
    ("POST", "/v1/sql", "SHOW STREAMS", SQL),
]


def as_tenant(name, headers):
    return {**headers, "Authorization": f"Bearer token-{name}"}


def tokens_file(test, more=""):
    path = os.path.join(test.root, "tokens.yaml")
    with open(path, "w", encoding="ascii") as f:
        f.write("tokens:\n")
        for name, settings in (("a", more), ("b", ""), ("ops", ", metrics: all")):
            digest = hashlib.sha256(f"token-{name}".encode()).hexdigest()
            f.write(f"  - {{tenant: {name}, sha256: {digest}{settings}}}\n")
    return path


def run(server, tenant, text):
    return server.call("POST", "/v1/sql", text, as_tenant(tenant, SQL))[0]


def send(server, tenant, stream, events, **headers):
    answer, _ = server.call("POST", f"/v1/streams/{stream}/events", json.dumps(events),
                            as_tenant(tenant, {**EVENTS, **headers}))
    return json.loads(answer)


def started(test, more=""):
    """Tenant b has a stream, what follows from it, and a dead letter."""
    server = test.server(options=["--tokens", tokens_file(test, more)]).start()
    run(server, "b", f"""CREATE STREAM {SECRET} (id BIGINT, name TEXT);
        CREATE STREAM {SECRET}_derived AS SELECT id, 10 / id AS part FROM {SECRET};
        CREATE MATERIALIZED VIEW {SECRET}_view AS SELECT name, count(*) AS n FROM {SECRET} GROUP BY name""")
    send(server, "b", SECRET, [{"id": n, "name": SECRET} for n in range(3)])
    return server


def nothing_without_a_token(test):
    server = started(test)
    for method, path, body, headers in CALLS:
        for authorization in ({}, {"Authorization": "Bearer token-"}, {"Authorization": "Bearer token-x"},
                              {"Authorization": "Basic dG9rZW4tYg=="}, {"Authorization": "Bearer " + "x" * 10_000},
                              {"Authorization": "Bearer " + hashlib.sha256(b"token-b").hexdigest()}):
            refused = server.refusal(method, path, body, {**headers, **authorization})
            assert refused.status == 401 and refused.problem["code"] in ("MR-API-0014", "MR-API-0015"), (path, refused)
            assert SECRET not in refused.body, refused


def same_names_are_two_things(test):
    """Both have a stream, a view and an Idempotency-Key of one name: two of each."""
    server = started(test)
    for tenant in "ab":
        run(server, tenant, """CREATE STREAM same (id BIGINT);
            CREATE MATERIALIZED VIEW same_count AS SELECT count(*) AS n FROM same GROUP BY id / 1000""")
    for tenant, count in (("a", 1), ("b", 2)):
        answer = send(server, tenant, "same", [{"id": n} for n in range(count)], **{"Idempotency-Key": "k"})
        assert answer["accepted"] == count and answer["offsets"][0]["first"] == 0, answer
    assert run(server, "a", "SELECT * FROM same_count") == b'{"n":1}\n'
    assert run(server, "b", "SELECT * FROM same_count") == b'{"n":2}\n'
    run(server, "a", "DROP MATERIALIZED VIEW same_count; DROP STREAM same")
    server.kill()
    server.start()
    assert run(server, "b", "SELECT * FROM same_count") == b'{"n":2}\n'
    refused = server.refusal("GET", "/v1/streams/same/events", None, as_tenant("a", {}))
    assert refused.problem["code"] == "MR-API-0018", refused
    assert server.stop() == 0
    server.check_verify()


def quotas_are_of_the_tenant(test):
    server = started(test, ", events_per_s: 50")
    run(server, "a", "CREATE STREAM s (id BIGINT)")
    send(server, "a", "s", [{"id": n} for n in range(200)])  # into debt
    refused = server.refusal("POST", "/v1/streams/s/events", "{}", as_tenant("a", EVENTS))
    assert refused.status == 429 and refused.problem["code"] == "MR-ING-0008", refused
    assert 1 <= int(refused.headers["Retry-After"]) <= 4, refused.headers
    began = time.monotonic()
    for n in range(100):
        send(server, "b", SECRET, [{"id": n + 10}])
    assert run(server, "a", "SELECT id FROM s LIMIT 1") == b'{"id":0}\n'  # reads go on
    done = test.cli("produce", "--server", server.url, "--token", "token-a", "s", stdin='{"id":200}\n')
    assert done.returncode == 0 and "1 event accepted" in done.stderr and "MR-ING-0008" in done.stderr, done
    assert time.monotonic() - began > 2, "the quota held nobody up"
    rows = run(server, "a", "SELECT id FROM s").splitlines()
    assert [json.loads(row)["id"] for row in rows] == list(range(201))


def metrics_are_of_the_tenant(test):
    server = started(test)
    run(server, "a", "CREATE STREAM s (id BIGINT)")
    send(server, "a", "s", [{"id": 1}, {"id": "x"}])
    for _ in range(2):
        try:
            send(server, "a", "nothing", [{}])
        except Refused:
            pass

    def page(tenant):
        text = b""
        for path in ("/metrics", "/metrics/full"):
            part, headers = server.call("GET", path, None, as_tenant(tenant, {}))
            assert headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
            text += part
        return dict(line.rsplit(" ", 1) for line in text.decode().splitlines() if not line.startswith("#"))

    a, b, ops = page("a"), page("b"), page("ops")
    assert a['millrace_tenant_ingest_events_total{tenant="a"}'] == "1"
    assert a['millrace_tenant_rejected_events_total{tenant="a"}'] == "1"
    assert a['millrace_tenant_refused_requests_total{tenant="a"}'] == "2"
    assert a['millrace_tenant_dead_letters_total{tenant="a"}'] == "0"
    assert b['millrace_tenant_ingest_events_total{tenant="b"}'] == "3"
    assert b['millrace_tenant_dead_letters_total{tenant="b"}'] == "1"
    assert b['millrace_tenant_views{tenant="b"}'] == "1"
    for own, other in ((a, "b"), (b, "a")):
        assert not [name for name in own if f'tenant="{other}"' in name]
    for name in (*a, *b):
        assert name in ops, name
    for word in ("millrace_journal_durable_cut", "millrace_http_connections"):
        assert word in a and word in ops


TESTS = [nothing_without_a_token, same_names_are_two_things, quotas_are_of_the_tenant, metrics_are_of_the_tenant]
