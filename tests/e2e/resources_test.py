#!/usr/bin/env python3
"""Streams, views, queries and tenants as resources: over restarts, and at the command line."""
import csv
import hashlib
import io
import json
import os

from harness import main


def started(test, **kwargs):
    server = test.server(**kwargs).start()
    server.sql("""CREATE STREAM clicks (visitor TEXT, "pa,ge" TEXT);
                  CREATE MATERIALIZED VIEW per_visitor AS SELECT visitor, count(*) AS n FROM clicks GROUP BY visitor;
                  CREATE STREAM visits AS SELECT visitor FROM clicks""")
    return server


def get(server, path):
    return json.loads(server.call("GET", path)[0])


def what_show_says(test):
    server = started(test)
    for kind in ("streams", "views", "queries"):
        shown = {row["name"]: row for row in server.sql(f"SHOW {kind}")}
        listed = {item["name"]: item for item in get(server, f"/v1/{kind}")["items"]}
        assert shown.keys() == listed.keys() and list(listed) == sorted(listed), (shown, listed)
        for name, row in shown.items():
            item = listed[name]
            for member in ("kind", "partitions", "key", "watermark", "source", "definition", "state", "id"):
                assert row.get(member) == item.get(member) or member not in row, (member, row, item)
    columns = server.sql("DESCRIBE clicks")
    assert [c["name"] for c in get(server, "/v1/streams/clicks")["columns"]] == [c["column"] for c in columns]


def changes_survive_a_kill(test):
    server = started(test)
    paused = json.loads(server.call("POST", "/v1/queries/per_visitor/pause")[0])
    assert paused["state"].startswith("paused"), paused
    server.call("DELETE", "/v1/streams/visits")
    server.kill()
    server.start()
    assert get(server, "/v1/queries/per_visitor")["state"].startswith("paused")
    assert server.refusal("GET", "/v1/streams/visits").problem["code"] == "MR-API-0046"
    server.call("POST", "/v1/queries/per_visitor/resume")
    server.wait_running("per_visitor")
    assert server.refusal("DELETE", "/v1/streams/clicks").status == 409
    assert server.refusal("DELETE", "/v1/streams/dead_letters").status in (400, 409)


def without_a_processor(test):
    server = test.server(options=["--gateway-only"]).start()
    server.sql("CREATE STREAM s (a TEXT); CREATE MATERIALIZED VIEW v AS SELECT a, count(*) AS n FROM s GROUP BY a")
    assert get(server, "/v1/queries/v")["lag_seconds"] is None
    assert server.refusal("POST", "/v1/queries/v/pause").status == 503


def command_line(test):
    server = started(test)

    def cli(*arguments, code=0):
        done = test.cli(*arguments, "--server", server.url)
        assert done.returncode == code, done
        return done

    table = cli("streams", "list").stdout.splitlines()
    assert [cell.strip() for cell in table[0].split("|")] == ["name", "kind", "partitions", "key", "watermark"], table
    assert [line.split()[0] for line in table[2:]] == ["clicks", "dead_letters", "visits"], table
    rows = list(csv.DictReader(io.StringIO(cli("streams", "list", "--output", "csv").stdout, newline="")))
    assert json.loads(rows[0]["columns"])[1]["name"] == "pa,ge", rows
    item = json.loads(cli("views", "show", "per_visitor", "--output", "json").stdout)
    assert item["source"] == "clicks", item
    assert "visitor text, n bigint" in cli("views", "show", "per_visitor").stdout
    assert "paused" in cli("queries", "pause", "per_visitor").stdout
    cli("queries", "resume", "per_visitor")
    assert json.loads(cli("tenants", "list", "--output", "json").stdout)["name"] == "default"
    assert "MR-API-0046" in cli("queries", "show", "nobody", code=1).stderr
    assert "MR-SQL-0017" in cli("streams", "drop", "clicks", code=1).stderr
    cli("views", "drop", "per_visitor")
    assert cli("views", "list", "--output", "json").stdout == ""
    for i in range(4):  # so long that they are two pages
        server.sql(f"CREATE STREAM long{i} (a TEXT /* {'x' * 400_000} */)")
    assert get(server, "/v1/streams?limit=1000")["next"] is not None
    assert len(cli("streams", "list", "--output", "json").stdout.splitlines()) == 3 + 4
    assert test.cli("streams").returncode == 2


def tenants(test):
    tokens = os.path.join(test.root, "tokens.yaml")
    with open(tokens, "w", encoding="utf-8") as f:
        f.write("tokens:\n")
        for tenant in ("a", "b"):
            f.write(f"  - {{tenant: {tenant}, sha256: {hashlib.sha256(tenant.encode()).hexdigest()}}}\n")
    server = test.server(options=["--tokens", tokens]).start()

    def headers(tenant):
        return {"Authorization": f"Bearer {tenant}"}

    server.call("POST", "/v1/sql", b"CREATE STREAM of_a (a TEXT)", {**headers("a"), "Content-Type": "application/sql"})
    for path in ("/v1/streams", "/v1/tenants", "/asyncapi.json"):
        assert b"of_a" not in server.call("GET", path, None, headers("b"))[0], path
    assert server.refusal("DELETE", "/v1/streams/of_a", None, headers("b")).status == 404
    assert server.refusal("GET", "/v1/tenants/a", None, headers("b")).status == 404
    server.call("GET", "/v1/streams/of_a", None, headers("a"))


if __name__ == "__main__":
    main([what_show_says, changes_survive_a_kill, without_a_processor, command_line, tenants])
