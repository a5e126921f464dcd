#!/usr/bin/env python3
"""The API's documents: linted, compared with the page and the command line, and a server held to them by schemathesis."""
import hashlib
import json
import os
import re
import subprocess
import sys

from harness import ROOT, main

CHECKS = ("not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
          "response_headers_conformance,unsupported_method,ignored_auth")


def started(test):
    """The tenant `default`, with things of every kind, behind a token."""
    tokens = os.path.join(test.root, "tokens.yaml")
    with open(tokens, "w", encoding="utf-8") as f:
        f.write(f"tokens:\n  - {{tenant: default, sha256: {hashlib.sha256(b'secret').hexdigest()}}}\n")
    server = test.server(options=["--tokens", tokens, "--schema-registry", "127.0.0.1:0"]).start()
    text = "CREATE STREAM \"a b%c\" (a TEXT[], b JSONB, c NUMERIC(9, 2), d BIGINT PATH '$.x.d', e ROW<f TEXT>);"
    text += "CREATE STREAM events (ce_id TEXT) WITH (format = 'cloudevents');"
    for i in range(4):
        text += f"CREATE STREAM s{i} (a TEXT, n BIGINT);"
        text += f"CREATE MATERIALIZED VIEW v{i} AS SELECT a, count(*) AS n FROM s{i} GROUP BY a;"
    text += "CREATE STREAM fails AS SELECT 1 / n AS x FROM s0;"
    server.call("POST", "/v1/sql", text.encode(), {**TOKEN, "Content-Type": "application/sql"})
    server.call("POST", "/v1/streams/s0/events", b'{"n":0}\n' * 4, {**TOKEN, "Content-Type": "application/x-ndjson"})
    return server


TOKEN = {"Authorization": "Bearer secret"}


def saved(test, server, path):
    file = os.path.join(test.root, os.path.basename(path))
    with open(file, "wb") as f:
        f.write(server.call("GET", path, None, TOKEN)[0])
    return file


def linted(test):
    server = started(test)
    files = [saved(test, server, path) for path in ("/openapi.json", "/asyncapi.json")]
    modules = os.path.join(ROOT, "build", "node", "node_modules")
    done = subprocess.run(["node", os.path.join(ROOT, "tests", "e2e", "lint_api.js"), *files], capture_output=True,
                          text=True, timeout=60, env={**os.environ, "NODE_PATH": modules})
    assert done.returncode == 0, done.stdout + done.stderr


def the_same_everywhere(test):
    server = started(test)
    document = server.call("GET", "/openapi.json")[0]
    assert test.cli("openapi").stdout.encode() == document
    operations = {(method.upper(), path) for path, methods in json.loads(document)["paths"].items()
                  for method in methods}
    with open(os.path.join(ROOT, "docs", "api", "http.md"), encoding="utf-8") as f:
        table = f.read().partition("| method and path |")[2].partition("\n\n")[0]
    told = set()
    for cell in re.findall(r"^\| (`.*?) \|", table, re.M):
        method, paths = None, re.findall(r"`([^`]+)`", cell)
        for path in paths:
            method, path = path.split() if " " in path else (method, path)
            told.add((method, path))
    assert told == operations, told ^ operations
    about = server.call("GET", "/")[0].decode()
    assert set(re.findall(r"^  ([A-Z]+) +(/\S*)", about, re.M)) == operations, about


def held_to_it(test):
    server = started(test)
    here = os.path.join(ROOT, "tests", "e2e")
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/openapi.json", "--checks", CHECKS, "--header",
         "Authorization: Bearer secret", "--phases", "coverage,fuzzing", "--max-examples", "15",
         "--generation-database", "none", "--seed", str(test.seed), "--request-timeout", "10", "--no-color",
         "--warnings", "off"],
        capture_output=True, text=True, timeout=120, cwd=test.root,
        env={**os.environ, "PYTHONPATH": os.path.join(ROOT, "build", "python") + os.pathsep + here,
             "SCHEMATHESIS_HOOKS": "schemathesis_hooks"})
    assert done.returncode == 0, done.stdout[-12000:] + done.stderr[-2000:]
    tested = re.search(r"Tested: (\d+)", done.stdout)
    cases = re.search(r"(\d+) generated", done.stdout)
    assert tested and int(tested[1]) >= 20 and cases and int(cases[1]) > 300, done.stdout[-3000:]


if __name__ == "__main__":
    main([linted, the_same_everywhere, held_to_it])
