#!/usr/bin/env python3
"""Quotas of tenants, over HTTP and TLS, changed while the node runs, over restarts; and the audit log of all that."""
import http.client
import json
import os
import ssl
import subprocess

from harness import Refused, main
from tokens_test import Guarded, wait_for

EVENT = b'{"a":"x"}'


def call(g, method, path, body=None, token=None, kind="application/json"):
    """The status, the headers, and the parsed body."""
    try:
        text, headers = g.server.call(method, path, body, {"Content-Type": kind, "Authorization": f"Bearer {token or g.admin}"})
        return 200, headers, text
    except Refused as refused:
        return refused.status, refused.headers, refused.problem


def set_quotas(g, tenant, **quotas):
    status, _, answer = call(g, "PUT", f"/v1/tenants/{tenant}/quotas", json.dumps(quotas))
    assert status == 200, answer


def rates(test):
    g = Guarded(test)
    g.server.sql("CREATE STREAM s (a TEXT)")
    neighbour = g.make("admin", "ingest", tenant="b")
    assert g.sql(neighbour, "CREATE STREAM s (a TEXT)") is None
    sensor = g.make("ingest")
    send = ("POST", "/v1/streams/s/events")
    set_quotas(g, "default", events_per_s=2)
    answers = [call(g, *send, EVENT, sensor) for _ in range(10)]
    refused = [answer for answer in answers if answer[0] == 429]
    assert answers[0][0] == 200 and refused, answers
    assert refused[0][2]["code"] == "MR-ING-0008" and int(refused[0][1]["Retry-After"]) >= 1, refused[0]
    assert call(g, *send, EVENT, neighbour)[0] == 200
    set_quotas(g, "default", bytes_per_s=1000)
    # What is there is enough to begin, and goes into debt.
    assert call(g, *send, (EVENT + b"\n") * 500, sensor, "application/x-ndjson")[0] == 200
    # Nobody reads a body that is refused: the head alone is answered.
    connection = http.client.HTTPConnection("127.0.0.1", g.server.port, timeout=10)
    connection.putrequest(*send)
    for name, value in (("Authorization", f"Bearer {sensor}"), ("Content-Type", "application/x-ndjson"), ("Content-Length", "30000000")):
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == 429
    connection.close()
    page = g.server.call("GET", "/metrics/full")[0].decode()
    for quota in ("events", "bytes"):
        line = f'millrace_tenant_quota_refusals_total{{tenant="default",quota="{quota}"}} '
        assert float(page.partition(line)[2].splitlines()[0]) >= 1, page
    over = len(refused) + 1  # every one is in the accounts
    assert g.server.metric('millrace_ingest_requests_total{result="refused",reason="quota"}') == over
    g.server.kill()
    g.server.start()
    assert json.loads(call(g, "GET", "/v1/tenants/default/quotas")[2])["bytes_per_s"] == 1000
    assert call(g, "PUT", "/v1/tenants/b/quotas", "{}", neighbour)[2]["code"] == "MR-AUTH-0010"
    assert call(g, "GET", "/v1/tenants/default/quotas", None, neighbour)[0] == 404
    set_quotas(g, "default")
    assert all(call(g, *send, EVENT, sensor)[0] == 200 for _ in range(10))


def over_tls(test):
    cert, key = (os.path.join(test.root, name) for name in ("cert.pem", "key.pem"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-days", "30", "-subj",
                    "/CN=t", "-addext", "subjectAltName=IP:127.0.0.1", "-nodes", "-keyout", key, "-out", cert], check=True,
                   capture_output=True)
    g = Guarded(test, options=["--https", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key, "--tenant-connections", "4",
                               "--tenant-subscriptions", "1"])
    g.server.sql("CREATE STREAM s (a TEXT)")
    reader = g.make("read", tenant="b")
    assert g.sql(g.make("admin", tenant="b"), "CREATE STREAM s (a TEXT)") is None
    with open(os.path.join(g.server.directory, "https.port"), encoding="ascii") as f:
        port = int(f.read())
    opened = []

    def ask(path, **headers):
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=ssl.create_default_context(cafile=cert))
        connection.request("GET", path, None, {"Authorization": f"Bearer {reader}", **headers})
        answer = connection.getresponse()
        opened.append((connection, answer))
        return answer

    live = {"Accept": "text/event-stream"}
    assert ask("/v1/streams/s/events", **live).status == 200
    refused = ask("/v1/streams/s/events", **live)
    assert refused.status == 429 and b"MR-AUTH-0016" in refused.read()
    assert [ask("/v1/streams").status for _ in range(2)] == [200, 200]
    refused = ask("/v1/streams")
    body = refused.read()
    assert refused.status == 429 and b"MR-AUTH-0015" in body and refused.getheader("Retry-After"), body
    for connection, answer in opened:
        answer.close()
        connection.close()
    opened.clear()

    def again():
        answer = ask("/v1/streams/s/events", **live)
        if answer.status != 200:
            opened.pop()[0].close()
        return answer.status == 200

    wait_for(again)


def behind_other_statements(test):
    """A subscription counts wherever it stands in a text, and no longer than it is there."""
    g = Guarded(test)
    g.server.sql("CREATE STREAM s (a TEXT); CREATE MATERIALIZED VIEW v AS SELECT a, count(*) AS n FROM s GROUP BY a")
    g.server.wait_running("v")
    set_quotas(g, "default", subscriptions=1)
    opened, texts = [], []
    for _ in range(3):
        connection = http.client.HTTPConnection("127.0.0.1", g.server.port, timeout=20)
        connection.request("POST", "/v1/sql", "SHOW STREAMS; SELECT count(*) AS n FROM s; SUBSCRIBE TO v",
                           {"Authorization": f"Bearer {g.admin}", "Content-Type": "application/sql"})
        opened.append((connection, connection.getresponse()))
        wait_for(lambda: g.server.metric("millrace_http_subscriptions") == 1)
    for connection, answer in opened[1:]:
        texts.append(answer.read().decode())
        connection.close()
    assert all('"MR-AUTH-0016"' in text and '"n":0' in text for text in texts), texts
    assert g.server.metric('millrace_tenant_subscriptions{tenant="default"}', "/metrics/full") == 1
    opened[0][1].close()
    opened[0][0].close()
    wait_for(lambda: g.server.metric("millrace_http_subscriptions") == 0)
    assert g.server.metric('millrace_tenant_subscriptions{tenant="default"}', "/metrics/full") == 0


def audited(test):
    g = Guarded(test)
    token = g.make("read")
    g.server.sql("""CREATE STREAM s (a TEXT); CREATE MATERIALIZED VIEW v AS SELECT a, count(*) AS n FROM s GROUP BY a;
                    PAUSE v; RESUME v; SELECT 1""")
    g.server.wait_running("v")
    assert call(g, "POST", "/v1/sql", "DROP STREAM s", kind="application/sql")[0] == 409
    assert call(g, "POST", "/v1/sql", "DROP STREAM s", token, kind="application/sql")[0] == 403
    g.server.call("DELETE", "/v1/views/v")
    call(g, "POST", f"/v1/tokens/{token.split('_')[1]}/rotate")
    call(g, "DELETE", f"/v1/tokens/{token.split('_')[1]}")
    set_quotas(g, "default", connections=50)
    g.server.kill()
    data = ("--data", g.server.directory)
    shown = test.cli("audit", "show", *data)
    assert shown.returncode == 0, shown
    acts = [json.loads(line) for line in shown.stdout.splitlines()]
    told = [(act["act"], act["outcome"]) for act in acts]
    assert told == [("CREATE TOKEN", "ok"), ("CREATE TOKEN", "ok"), ("CREATE STREAM", "ok"), ("CREATE MATERIALIZED VIEW", "ok"),
                    ("PAUSE", "ok"), ("RESUME", "ok"), ("DROP STREAM", "MR-SQL-0017"), ("DROP MATERIALIZED VIEW", "ok"),
                    ("ROTATE TOKEN", "ok"), ("REVOKE TOKEN", "ok"), ("SET QUOTAS", "ok")], told
    assert acts[2]["who"] == "token " + g.admin.split("_")[1] and acts[2]["from"] == "127.0.0.1", acts[2]
    assert g.admin.split("_")[2] not in shown.stdout and token.split("_")[2] not in shown.stdout
    whole = test.cli("audit", "verify", *data)
    assert whole.returncode == 0 and whole.stdout.startswith("11 acts, from number 1; the chain holds\n"), whole
    log = os.path.join(g.server.directory, "audit.log")
    with open(log, encoding="utf-8") as f:
        text = f.read()
    with open(log, "w", encoding="utf-8") as f:
        f.write(text.replace("PAUSE v", "PAUSE w", 1))
    broken = test.cli("audit", "verify", *data)
    assert broken.returncode == 1 and "MR-AUTH-0019" in broken.stderr and "audit.log:6" in broken.stderr, broken
    with open(log, "w", encoding="utf-8") as f:
        f.write(text)


if __name__ == "__main__":
    main([rates, over_tls, behind_other_statements, audited])
