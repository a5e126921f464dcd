#!/usr/bin/env python3
"""Views and derived streams whose rows have a schema in the registry: registered when they are made."""
import json
import os
import urllib.request

from harness import main


def started(test):
    return test.server(options=["--schema-registry", "127.0.0.1:0"]).start()


def registry_url(server):
    with open(os.path.join(server.directory, "schema-registry.port"), encoding="ascii") as f:
        return f"http://127.0.0.1:{int(f.read())}"


def registry(server, path, method="GET", body=None):
    request = urllib.request.Request(registry_url(server) + path, method=method, data=body and json.dumps(body).encode(),
                                     headers={"Content-Type": "application/vnd.schemaregistry.v1+json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def refused(server, text):
    return server.refusal("POST", "/v1/sql", text.encode(), {"Content-Type": "application/sql"}).problem


def definition(server, name):
    return next(row["definition"] for row in server.sql("SHOW VIEWS") if row["name"] == name)


def registered(test):
    server = started(test)
    server.sql("CREATE STREAM t (a TEXT, b BIGINT)")
    create = "CREATE OR REPLACE MATERIALIZED VIEW v WITH (schema = 'v-value', format = 'avro') AS SELECT {} FROM t"
    server.sql(create.format("a"))
    kept = definition(server, "v")
    server.sql(create.format("a"))
    assert definition(server, "v") == kept, "the same one is left alone"
    server.sql("DROP MATERIALIZED VIEW v")
    assert registry(server, "/subjects") == ["v-value"], "its values are still to be read"
    server.sql(create.format("a"))
    assert definition(server, "v") == kept, "the same schema has the same id"

    # A column more stops no reader; another type does.
    server.sql("CREATE MATERIALIZED VIEW more WITH (schema = 'v-value', format = 'avro') AS SELECT a, b FROM t")
    assert "schema_version = 2" in definition(server, "more"), definition(server, "more")
    problem = refused(server, "CREATE MATERIALIZED VIEW w WITH (schema = 'v-value', format = 'avro') AS SELECT b AS a FROM t")
    assert problem["code"] == "MR-SCH-0009" and problem["status"] == 409 and "incompatible" in problem["message"], problem
    assert len(server.sql("SHOW VIEWS")) == 2
    problem = refused(server, "CREATE MATERIALIZED VIEW w WITH (schema = 'v-value', format = 'avro', schema_id = 77) AS SELECT a FROM t")
    assert problem["code"] == "MR-SCH-0009", problem
    registry(server, "/config/v-value", "PUT", {"compatibility": "NONE"})
    server.sql("CREATE MATERIALIZED VIEW w WITH (schema = 'v-value', format = 'avro') AS SELECT b AS a FROM t")
    problem = refused(server, "CREATE MATERIALIZED VIEW x WITH (format = 'avro') AS SELECT a FROM t")
    assert problem["code"] == "MR-SQL-0030", problem
    server.sql("CREATE MATERIALIZED VIEW IF NOT EXISTS w WITH (schema = 'other', format = 'avro') AS SELECT a FROM t")
    assert registry(server, "/subjects") == ["v-value"], "one that is there registers nothing"
    server.stop()
    acts = [json.loads(line) for line in test.cli("audit", "show", "--data", server.directory).stdout.splitlines()]
    told = [(act["what"], act["outcome"] == "ok") for act in acts if act["act"] == "REGISTER SCHEMA"]
    assert told == [("v-value: version 1 id 1", True), ("v-value: version 2 id 2", True), ("v-value", False),
                    ("v-value: version 3 id 3", True)], told

    alone = test.server(name="alone").start()
    alone.sql("CREATE STREAM t (a TEXT)")
    problem = refused(alone, "CREATE MATERIALIZED VIEW v WITH (schema = 'v', format = 'avro') AS SELECT a FROM t")
    assert problem["code"] == "MR-SCH-0004", problem


if __name__ == "__main__":
    main([registered])
