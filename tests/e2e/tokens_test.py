#!/usr/bin/env python3
"""Access tokens as an operator meets them: the page docs/deployment/security.md as written, over kills, statements by
scope, and that no secret is in any file."""
import json
import os
import re
import socket
import subprocess
import threading
import time

import pages
from harness import Refused, free_port, main

PAGE = "docs/deployment/security.md"


def wait_for(condition, within=20):
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)


def the_page(test):
    """The commands in the order of the page; the node is started by its line and ended at the end."""
    port, node, outputs, mask = free_port(), None, [], -1
    env = {**os.environ, "MILLRACE_SERVER": f"http://127.0.0.1:{port}"}
    for line in pages.lines(PAGE):
        if line.startswith("umask "):
            mask = int(line.split()[1], 8)
            continue
        here = re.sub(r"\bmillrace (?=serve|sql|produce|tokens)", test.binary + " ", line).replace("8080", str(port))
        if here.endswith("&"):
            with open(os.path.join(test.root, "node.log"), "w", encoding="utf-8") as log:
                node = subprocess.Popen(here.removesuffix("&").split(), cwd=test.root, stdout=log, stderr=log)
            wait_for(lambda: os.path.exists(os.path.join(test.root, "data", "http.port")))
            continue
        done = subprocess.run(here, shell=True, cwd=test.root, capture_output=True, text=True, timeout=60, env=env,
                              umask=mask)
        assert done.returncode == 0 and '"code"' not in done.stdout, (line, done)
        outputs.append(done.stdout)
    assert any("ana" in output for output in outputs), outputs
    assert any("sensor" in output and "ingest:click*" in output for output in outputs), outputs
    node.terminate()
    assert node.wait(30) == 0
    secrets = []
    for name in os.listdir(test.root):
        if name.endswith((".token", ".new")):
            with open(os.path.join(test.root, name), encoding="ascii") as f:
                text = f.read()
                assert os.fstat(f.fileno()).st_mode & 0o077 == 0, f"others can read {name}"
            assert re.fullmatch(r"mrt_[0-9a-f]{16}_[0-9a-f]{64}\n", text), text
            secrets.append(text.strip().split("_")[2].encode())
    assert len(secrets) == 4
    for folder, _, names in os.walk(os.path.join(test.root, "data")):
        for name in names:
            with open(os.path.join(folder, name), "rb") as f:
                data = f.read()
            assert not any(secret in data for secret in secrets), name
    with open(os.path.join(test.root, "node.log"), "rb") as f:
        assert b"mrt_" not in f.read()


class Guarded:
    """A server, its first token, and calls as somebody."""

    def __init__(self, test, options=()):
        self.server = test.server(options=options)
        done = test.cli("tokens", "create", "--data", self.server.directory, "--scope", "admin", "--scope", "query",
                        "--scope", "ingest", "--all-tenants")
        assert done.returncode == 0, done
        self.admin = done.stdout.strip()
        # The harness asks for things, too.
        self.server.call_as_nobody = self.server.call
        self.server.call = lambda method, path, body=None, headers=None, timeout=120: self.server.call_as_nobody(
            method, path, body, {"Authorization": f"Bearer {self.admin}", **(headers or {})}, timeout)
        self.server.start()

    def make(self, *scopes, **more):
        answer = self.server.call("POST", "/v1/tokens", json.dumps({"scopes": scopes, **more}),
                                  {"Content-Type": "application/json"})
        return json.loads(answer[0])["token"]

    def call(self, token, method, path, body=None, kind="application/json"):
        """The status and the code."""
        try:
            self.server.call(method, path, body, {"Authorization": f"Bearer {token}", "Content-Type": kind})
            return 200, None
        except Refused as refused:
            return refused.status, refused.problem.get("code")

    def sql(self, token, text):
        return self.call(token, "POST", "/v1/sql", text, "application/sql")[1]


def before_the_first_token(test):
    """What was begun while everybody could ends when there is a token."""
    server = test.server().start()
    server.sql("CREATE STREAM s (a TEXT)")
    opened = []
    for head in ("GET /v1/streams/s/events HTTP/1.1\r\nAccept: text/event-stream\r\n",
                 "GET /v1/ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"):
        client = socket.create_connection(("127.0.0.1", server.port), timeout=20)
        client.sendall(f"{head}Host: 127.0.0.1\r\n\r\n".encode())
        assert re.match(rb"HTTP/1.1 (200|101) ", client.recv(65536))
        opened.append(client)
    server.produce("s", [{"a": "x"}])
    got = b""
    while b'"a"' not in got:
        got += opened[0].recv(65536)
    server.call("POST", "/v1/tokens", json.dumps({"scopes": ["admin"], "all_tenants": True}), {"Content-Type": "application/json"})
    assert server.refusal("GET", "/v1/streams").status == 401
    for client in opened:
        while client.recv(65536):
            pass
        client.close()
    assert server.call("GET", "/livez")[0] == b"live\n"


def listed_without_a_server(test):
    """As the server lists them, but for when they were last used; nothing is made where there is nothing."""
    g = Guarded(test)
    g.make("read:s", name="reader", expires_in_seconds=3600)
    listed = ("tokens", "list", "--output", "json", "--data", g.server.directory)
    in_use = test.cli(*listed)
    assert in_use.returncode == 1 and "MR-NODE-0001" in in_use.stderr, in_use
    told = test.cli("tokens", "list", "--output", "json", "--server", g.server.url, "--token", g.admin)
    g.server.stop()
    offline = test.cli(*listed)
    assert offline.returncode == 0, offline
    tokens = [[json.loads(line) for line in text.splitlines()] for text in (told.stdout, offline.stdout)]
    for token in tokens[0] + tokens[1]:
        token.pop("last_used_at")
    assert tokens[0] == tokens[1] and len(tokens[0]) == 2, tokens
    nothing = os.path.join(test.root, "nothing")
    # It would be kept, and nothing could read it.
    for option in ("--name", "--tenant", "--scope"):
        done = test.cli("tokens", "create", "--data", nothing, "--scope", "admin", option, os.fsdecode(b"read:\xff"))
        assert done.returncode == 2 and "not UTF-8" in done.stderr and not os.path.exists(nothing), done
    done = test.cli("tokens", "list", "--data", nothing)
    assert done.returncode == 1 and "MR-NODE-0003" in done.stderr and not os.path.exists(nothing), done


def statements_by_scope(test):
    g = Guarded(test)
    g.server.sql("""CREATE STREAM orders (a TEXT); CREATE STREAM payments (card TEXT);
                    CREATE MATERIALIZED VIEW orders_by_a AS SELECT a, count(*) AS n FROM orders GROUP BY a""")
    denied = "MR-AUTH-0002"
    some = g.make("query:orders*", "ingest:orders")
    assert g.sql(some, "SELECT * FROM orders") is None
    assert g.sql(some, "SELECT * FROM orders_by_a") is None
    assert g.sql(some, "DESCRIBE orders") is None
    assert g.sql(some, "INSERT INTO orders (a) VALUES ('x')") is None
    for text in ("SELECT * FROM payments", "SELECT a FROM orders UNION ALL SELECT card FROM payments",
                 "WITH p AS (SELECT card FROM payments) SELECT * FROM p", "SELECT a FROM (SELECT card AS a FROM payments) p",
                 "SELECT * FROM dead_letters", "SUBSCRIBE TO payments", "DESCRIBE payments", "SHOW STREAMS",
                 "EXPLAIN SELECT * FROM orders", "EXPLAIN ANALYZE SELECT * FROM payments", "CREATE STREAM x (a TEXT)",
                 "CREATE MATERIALIZED VIEW orders2 AS SELECT card, count(*) AS n FROM payments GROUP BY card",
                 "DROP STREAM orders", "ALTER STREAM orders RESET (retention)", "PAUSE orders_by_a", "INSERT INTO payments (card) VALUES ('1')",
                 "INSERT INTO orders SELECT card FROM payments"):
        assert g.sql(some, text) == denied, (text, g.sql(some, text))
    administrator = g.make("admin")
    for text in ("SELECT 1", "SHOW STREAMS", "SELECT * FROM nowhere"):
        assert g.sql(administrator, text) == denied, text
    assert g.sql(administrator, "PAUSE orders_by_a; RESUME orders_by_a") is None
    reader = g.make("read:orders")
    assert g.sql(reader, "SELECT 1") == denied
    assert g.call(reader, "GET", "/v1/streams/payments/events") == (403, denied)
    g.server.wait_running("orders_by_a")


def over_a_kill(test):
    g = Guarded(test)
    g.server.sql("CREATE STREAM s (a TEXT)")
    kept, revoked = g.make("ingest"), g.make("ingest")
    send = ("POST", "/v1/streams/s/events", b'{"a":"x"}')
    assert g.call(kept, *send)[0] == g.call(revoked, *send)[0] == 200
    g.server.call("DELETE", "/v1/tokens/" + revoked.split("_")[1])
    g.server.kill()
    g.server.start()
    assert g.call(kept, *send)[0] == 200
    assert g.call(revoked, *send) == (401, "MR-API-0015")
    short = g.make("ingest", expires_in_seconds=1)
    assert g.call(short, *send)[0] == 200
    wait_for(lambda: g.call(short, *send) == (401, "MR-AUTH-0001"))
    refused = test.cli("tokens", "create", "--data", g.server.directory, "--scope", "admin")
    assert refused.returncode == 1 and "MR-NODE-0001" in refused.stderr, refused
    refused = test.cli("tokens", "create", "--server", g.server.url, "--token", g.admin, "--scope", "write")
    assert refused.returncode == 1 and "MR-AUTH-0004" in refused.stderr, refused


def others_are_reached(test):
    """An address of all interfaces needs a token, and has one."""
    bare = test.cli("serve", "--data", os.path.join(test.root, "none"), "--http", "0.0.0.0:0")
    assert bare.returncode == 2 and "MR-API-0030" in bare.stderr and "millrace tokens create" in bare.stderr, bare
    g = Guarded(test)
    assert g.server.stop() == 0
    g.server.address = "0.0.0.0:0"
    g.server.start()


def wrong_secrets(test):
    """Somebody who knows an id tries secrets as fast as he can; others are served as before."""
    g = Guarded(test)
    g.server.sql("CREATE STREAM s (a TEXT)")
    token = g.make("ingest")
    stem, stop = token[:-8], threading.Event()
    tried = [0] * 3

    def guess(number):
        while not stop.is_set():
            assert g.call(f"{stem}{tried[number] * 3 + number:08x}", "GET", "/v1/streams")[0] == 401
            tried[number] += 1

    guessers = [threading.Thread(target=guess, args=(i,)) for i in range(3)]
    for one in guessers:
        one.start()
    slowest = 0.0
    for _ in range(20):
        fresh = g.make("ingest")  # each is verified by argon2 at its first use
        begun = time.monotonic()
        assert g.call(fresh, "POST", "/v1/streams/s/events", b'{"a":"x"}')[0] == 200
        slowest = max(slowest, time.monotonic() - begun)
    stop.set()
    for one in guessers:
        one.join()
    print(f"      {sum(tried)} wrong secrets; the slowest first use of a token took {slowest * 1000:.0f} ms")
    assert sum(tried) > 100 and slowest < 5


if __name__ == "__main__":
    main([the_page, listed_without_a_server, before_the_first_token, statements_by_scope, over_a_kill, others_are_reached, wrong_secrets])
