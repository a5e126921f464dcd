#!/usr/bin/env python3
"""Streams whose events have to fit a schema of the registry: in three formats, over restarts, beside `millrace schema`."""
import http.server
import json
import os
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request

from harness import Refused, main

JSON = {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "required": ["id", "price"],
        "properties": {"id": {"type": "integer"}, "price": {"type": "number", "minimum": 0},
                       "at": {"type": "string", "format": "date-time"}, "tags": {"type": "array", "items": {"type": "string"}},
                       "place": {"type": "object", "properties": {"city": {"type": ["string", "null"]}, "zip": {"type": "string"}}},
                       "more": {}}}
AVRO = {"type": "record", "name": "Order", "fields": [
    {"name": "id", "type": "long"}, {"name": "note", "type": ["null", "string"], "default": None},
    {"name": "total", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}}]}
PROTO = 'syntax = "proto3";\nmessage Order {\n  int32 id = 1;\n  string note = 2;\n}\n'


def started(test, *options):
    server = test.server(options=["--schema-registry", "127.0.0.1:0", *options]).start()
    return server


def schema(test, server, *arguments, code=0, stdin=None, env=None):
    with open(os.path.join(server.directory, "schema-registry.port"), encoding="ascii") as f:
        url = f"http://127.0.0.1:{int(f.read())}"
    done = test.cli("schema", *arguments, stdin=stdin, env={"MILLRACE_REGISTRY": url, **(env or {})})
    assert done.returncode == code, done
    return done


def registered(test, server, subject, text, kind):
    return schema(test, server, "register", subject, "-", "--type", kind, stdin=text).stdout


def rejected(server, stream, event):
    refused = server.refusal("POST", f"/v1/streams/{stream}/events", json.dumps(event).encode(),
                             {"Content-Type": "application/x-ndjson"})
    answer = json.loads(refused.body)
    assert answer["accepted"] == 0 and len(answer["rejected"]) == 1, answer
    return answer["rejected"][0]


def columns(server, stream):
    found = json.loads(server.call("GET", f"/v1/streams/{stream}")[0])
    return {column["name"]: column["type"] for column in found["columns"]}, found["definition"]


def json_schema(test):
    server = started(test)
    registered(test, server, "orders-value", json.dumps(JSON), "json")
    server.sql("CREATE STREAM orders (WATERMARK FOR at AS at) WITH (schema = 'orders-value', key = 'id')")
    types, definition = columns(server, "orders")
    assert types == {"id": "bigint", "price": "double precision", "at": "timestamp with time zone", "tags": "text[]",
                     "place": "row<city text, zip text>", "more": "jsonb"}, types
    assert "schema_version = 1, schema_id = 1" in definition, definition
    server.sql("CREATE MATERIALIZED VIEW v AS SELECT count(*) AS n, sum(price) AS total FROM orders")
    good = {"id": 1, "price": 2.5, "at": "2026-01-01T00:00:00Z", "place": {"city": None}, "other": [1]}
    assert server.produce("orders", [good, good])["accepted"] == 2
    why = rejected(server, "orders", {"id": 1, "price": -1})
    assert why["code"] == "MR-JSCH-0007" and "/price" in json.dumps(why) and "0" in why["message"], why
    assert "price" in json.dumps(rejected(server, "orders", {"id": 2})), "a required member"
    # A newer version changes nothing here; it is the next stream's.
    newer = json.loads(json.dumps(JSON))
    newer["properties"]["price"]["minimum"] = -10
    schema(test, server, "check", "orders-value", "-", "--type", "json", stdin=json.dumps(newer))
    registered(test, server, "orders-value", json.dumps(newer), "json")
    rejected(server, "orders", {"id": 1, "price": -1})
    server.sql("CREATE STREAM orders2 (id BIGINT) WITH (schema = 'orders-value')")
    assert "schema_version = 2" in columns(server, "orders2")[1]
    assert server.produce("orders2", [{"id": 1, "price": -1}])["accepted"] == 1
    server.kill()
    server.start()
    rejected_after = rejected(server, "orders", {"id": 1, "price": -1})
    assert rejected_after["code"] == "MR-JSCH-0007", rejected_after
    assert server.sql("SELECT n, total FROM v") == [{"n": 2, "total": 5.0}]
    diff = schema(test, server, "diff", "orders-value", "1").stdout
    assert '-      "minimum": 0' in diff and '+      "minimum": -10' in diff, diff


def avro_and_protobuf(test):
    server = started(test)
    registered(test, server, "a", json.dumps(AVRO), "avro")
    registered(test, server, "p", PROTO, "protobuf")
    server.sql("CREATE STREAM a WITH (schema = 'a')")
    assert columns(server, "a")[0] == {"id": "bigint", "note": "text", "total": "numeric(9,2)"}, columns(server, "a")
    assert server.produce("a", [{"id": 1, "note": "x", "total": "12.50"}])["accepted"] == 1
    assert rejected(server, "a", {"id": 1, "note": None, "total": "12.505"})
    assert "MR-AVRO" in rejected(server, "a", {"note": "x", "total": "1.00"})["code"]
    none = server.refusal("POST", "/v1/sql", b"CREATE STREAM p WITH (schema = 'p')", {"Content-Type": "application/sql"})
    assert none.problem["code"] == "MR-SCH-0002", none.problem
    server.sql("CREATE STREAM p (id INTEGER, note TEXT) WITH (schema = 'p')")
    assert server.produce("p", [{"id": 1, "note": "x"}])["accepted"] == 1
    assert "MR-PROTO" in rejected(server, "p", {"id": 1, "other": "x"})["code"]


def wrong(test):
    server = started(test)

    def refused(text):
        return server.refusal("POST", "/v1/sql", text.encode(), {"Content-Type": "application/sql"}).problem

    problem = refused("CREATE STREAM s (id BIGINT) WITH (schema = 'nobody')")
    assert problem["code"] == "MR-SCH-0001" and problem["status"] == 404, problem
    assert refused("CREATE STREAM s (id BIGINT) WITH (schema_version = 1)")["code"] == "MR-SQL-0030"
    registered(test, server, "j", json.dumps(JSON), "json")
    assert refused("CREATE STREAM s (id BIGINT) WITH (schema = 'j', schema_version = 9)")["code"] == "MR-SCH-0001"
    registered(test, server, "k", '{"type": "object"}', "json")
    for options in ("schema = 'j', schema_id = 9", "schema = 'j', schema_id = 2", "schema = 'k', schema_id = 2, schema_version = 3"):
        assert refused(f"CREATE STREAM s (id BIGINT) WITH ({options})")["code"] == "MR-SCH-0001", options
    assert refused("CREATE STREAM s (id BIGINT) WITH (schema_id = 1)")["code"] == "MR-SQL-0030"
    problem = refused("-- a comment\n CREATE STREAM s (WATERMARK FOR att AS att) WITH (schema = 'j')")
    assert problem["span"]["line"] == 2 and problem["span"]["column"] == 33, problem
    server.sql("CREATE STREAM pinned WITH (schema_version = 1, schema = 'j'); CREATE STREAM by_id WITH (schema = 'j', schema_id = 1)")
    assert "schema_version = 1, schema_id = 1" in columns(server, "by_id")[1]
    assert columns(server, "pinned")[0]["price"] == "double precision"
    # A version that is gone for good takes no events; what is stored stays.
    server.sql("CREATE STREAM s (id BIGINT) WITH (schema = 'j')")
    assert server.produce("s", [{"id": 1, "price": 1}])["accepted"] == 1
    schema(test, server, "delete", "j", "--version", "all", "--permanent")
    server.kill()
    server.start()
    for _ in range(100):
        try:
            server.produce("s", [{"id": 1, "price": 1}])
            raise AssertionError("it was taken")
        except Refused as refused_events:
            assert refused_events.status == 503 and "MR-SCH-0003" in refused_events.body, refused_events.body
            if "cannot be had" in refused_events.body:
                break
    else:
        raise AssertionError("it does not say why")
    assert len(server.events("s")) == 1
    alone = test.server("without").start()
    problem = alone.refusal("POST", "/v1/sql", b"CREATE STREAM s (id BIGINT) WITH (schema = 'j')",
                            {"Content-Type": "application/sql"}).problem
    assert problem["code"] == "MR-SCH-0004" and problem["status"] == 503, problem


def before_a_new_version(test):
    """`schema check --events`: the last events that do not fit, and what SQL has made that would break."""
    server = started(test)
    registered(test, server, "orders-value", json.dumps(JSON), "json")
    server.sql("CREATE STREAM orders WITH (schema = 'orders-value', partitions = 2);"
               "CREATE MATERIALIZED VIEW totals AS SELECT id, sum(price) AS total FROM orders GROUP BY id;"
               "CREATE MATERIALIZED VIEW ids AS SELECT id, count(*) AS n FROM orders GROUP BY id;"
               "CREATE STREAM dear AS SELECT id FROM orders WHERE price > 10")
    for price in range(40):
        server.produce("orders", [{"id": price, "price": price, "place": {"city": "x"}}])

    def checked(proposed, *more, code=0):
        done = schema(test, server, "check", "orders-value", "-", "--type", "json", "--server", server.url, "--output", "json", *more,
                      code=code, stdin=json.dumps(proposed))
        return json.loads(done.stdout)

    told = checked(JSON, "--events", "1000")
    assert told["compatible"] and told["broken"] == [] and told["streams"][0]["events"]["tried"] == 40, told
    assert told["streams"][0]["name"] == "orders" and told["streams"][0]["version"] == 1, told
    # Stricter: what is stored says so, whatever the level says.
    stricter = json.loads(json.dumps(JSON))
    stricter["properties"]["price"]["minimum"] = 30
    told = checked(stricter, "--events", "1000", code=1)
    events = told["streams"][0]["events"]
    assert events["misfits"] == 30 and len(events["first"]) == 10 and events["complete"], events
    stored = server.partitions("orders", 2)
    for one in events["first"]:
        assert one["code"] == "MR-JSCH-0007" and "/price" in one["message"], one
        assert stored[one["partition"]][one["offset"]]["price"] < 30, one
    assert checked(stricter, "--events", "4", code=1)["streams"][0]["events"] == \
        {"tried": 4, "misfits": 0, "complete": True, "first": [], "failure": None}
    # Another type, and a member that goes.
    other = json.loads(json.dumps(JSON))
    other["properties"]["price"] = {"type": "string"}
    del other["properties"]["place"]
    told = checked(other, "--events", "0", code=1)
    assert not told["compatible"] and told["messages"] and told["streams"][0]["events"] is None, told
    broken = {one["name"]: (one["kind"], {column["name"]: column["becomes"] for column in one["columns"]}) for one in told["broken"]}
    assert broken == {"orders": ("stream", {"price": "TEXT", "place": None}), "totals": ("view", {"price": "TEXT"}),
                      "dear": ("derived stream", {"price": "TEXT"})}, broken
    table = schema(test, server, "check", "orders-value", "-", "--type", "json", "--server", server.url, "--events", "10", code=1,
                   stdin=json.dumps(other))
    assert "was DOUBLE PRECISION, becomes TEXT" in table.stdout and "MR-CLI-0055" in table.stderr and "incompatible" in table.stdout, table
    csv = schema(test, server, "check", "orders-value", "-", "--type", "json", "--server", server.url, "--events", "10", "--output", "csv",
                 stdin=json.dumps(JSON)).stdout
    assert csv.splitlines() == ["object,kind,finding,place,reason", "orders,stream,fits,,10 of the last 10 events fit"], csv
    # What does not go together, and what the environment says for other commands.
    for arguments, said in ((("--events", "1", "--version", "1"), "--version"), (("--events", "1", "--all"), "--all"),
                            (("--server", server.url), "--server is of use with --events alone")):
        refused = schema(test, server, "check", "orders-value", "-", "--type", "json", *arguments, code=2, stdin=json.dumps(JSON)).stderr
        assert said in refused and "--events" in refused and refused.count("hint") == 1, refused
    schema(test, server, "check", "orders-value", "-", "--type", "json", stdin=json.dumps(JSON), env={"MILLRACE_SERVER": server.url})
    # Nothing was registered, and the streams take what they took.
    assert schema(test, server, "list", "--all", "--output", "csv").stdout.count("orders-value") == 1
    assert server.produce("orders", [{"id": 1, "price": 1}])["accepted"] == 1
    for body, code in (({"subject": "x"}, "MR-SCH-0006"), ({"subject": "x", "schema": "{"}, "MR-SCH-0007"),
                       ({"subject": "x", "schema": "{}", "events": 10_001}, "MR-SCH-0006"),
                       ({"subject": "x", "schema": "{}", "other": 1}, "MR-SCH-0006"),
                       ({"subject": "x", "schema": '{"$ref": "y"}', "schemaType": "JSON",
                         "references": [{"name": "y", "subject": "y", "version": 1}]}, "MR-SCH-0007")):
        refused = server.refusal("POST", "/v1/schemas/check", json.dumps(body).encode(), {"Content-Type": "application/json"})
        assert refused.problem["code"] == code and refused.status == 400, (body, refused.problem)
    # Avro with a reference, and Protobuf, of which no columns follow.
    registered(test, server, "base", json.dumps(AVRO), "avro")
    line = {"type": "record", "name": "Line", "fields": [{"name": "order", "type": "Order"}]}
    schema(test, server, "register", "line", "-", "--type", "avro", "--reference", "Order=base:1", stdin=json.dumps(line))
    server.sql("CREATE STREAM lines WITH (schema = 'line')")
    server.produce("lines", [{"order": {"id": 1, "note": None, "total": "1.00"}}])
    line["fields"].append({"name": "n", "type": "int"})
    told = json.loads(schema(test, server, "check", "line", "-", "--type", "avro", "--reference", "Order=base:1", "--server", server.url,
                             "--events", "5", "--output", "json", code=1, stdin=json.dumps(line)).stdout)
    assert told["streams"][0]["events"]["misfits"] == 1 and told["broken"] == [] and not told["compatible"], told
    registered(test, server, "p", PROTO, "protobuf")
    server.sql("CREATE STREAM p (id INTEGER) WITH (schema = 'p')")
    server.produce("p", [{"id": 1, "note": "x"}])
    told = json.loads(schema(test, server, "check", "p", "-", "--type", "protobuf", "--server", server.url, "--events", "5", "--output", "json",
                             stdin=PROTO.replace("string note = 2", "string note = 2;\n  string more = 3")).stdout)
    assert told["broken"] is None and told["streams"][0]["events"]["tried"] == 1, told


def registered_again(test):
    """The number of a version goes to another schema; the stream's events still have to fit the one that it was made with."""
    server = started(test)
    first, second = '{"type": "object", "required": ["id"]}', '{"type": "object", "required": ["id", "n"]}'
    schema(test, server, "register", "s", "-", "--type", "json", stdin=first)
    registered(test, server, "other", first, "json")
    server.sql("CREATE STREAM s (id BIGINT) WITH (schema = 's')")
    schema(test, server, "delete", "s", "--version", "1", "--permanent")
    registered(test, server, "s", second, "json")
    server.kill()
    server.start()
    for _ in range(100):
        try:
            assert server.produce("s", [{"id": 1}])["accepted"] == 1
            break
        except Refused as waiting:
            assert waiting.status == 503, waiting.body
    assert rejected(server, "s", {"n": 1})["code"] == "MR-JSCH-0007"


def moved_on(test):
    """A stream's subject evolves: the stream goes on with the version that it is told, and the view over it does not notice."""
    server = started(test)

    def version(*required):
        return json.dumps({"type": "object", "required": list(required), "properties": {"id": {"type": "integer"}}})

    for required in (("id",), ("id", "n"), ("n",)):
        registered(test, server, "s", version(*required), "json")
    registered(test, server, "other", version("other"), "json")
    server.sql("CREATE STREAM s WITH (schema = 's', schema_version = 1); CREATE MATERIALIZED VIEW v AS SELECT count(*) AS n FROM s")
    assert server.produce("s", [{"id": 1}])["accepted"] == 1
    server.sql("ALTER STREAM s SET (schema_version = 2)")
    assert columns(server, "s")[1].endswith("schema_id = 2, schema_version = 2)"), columns(server, "s")
    assert rejected(server, "s", {"id": 1})["code"] == "MR-JSCH-0007"
    assert server.produce("s", [{"id": 1, "n": 1}])["accepted"] == 1
    server.sql("ALTER STREAM s SET (schema_version = 'latest', on_invalid = 'dead_letter')")
    assert "schema_version = 3, schema_id = 3" in columns(server, "s")[1]
    assert server.produce("s", [{"n": 1}, {"id": 1}])["dead_letters"] == 1
    server.kill()
    server.start()
    for _ in range(100):
        try:
            assert server.produce("s", [{"n": 1}, {"id": 1}])["dead_letters"] == 1
            break
        except Refused as waiting:
            assert waiting.status == 503, waiting.body
    server.sql("ALTER STREAM s SET (schema = 'other')")
    assert "schema = 'other', schema_version = 1, schema_id = 4" in columns(server, "s")[1]
    # What was refused is taken now that the stream asks for something else.
    server.sql("ALTER STREAM s RESET (schema, on_invalid)")
    assert "WITH" not in columns(server, "s")[1]
    report = json.loads(server.call("POST", "/v1/dead-letters/redrive")[0])
    assert report["redriven"] == 2, report
    deadline = time.monotonic() + 30
    while (rows := server.sql("SELECT n FROM v")) != [{"n": 6}]:
        assert time.monotonic() < deadline, rows
        time.sleep(0.01)
    missing = server.refusal("POST", "/v1/sql", b"ALTER STREAM s SET (schema = 'nobody')", {"Content-Type": "application/sql"})
    assert missing.problem["code"] == "MR-SCH-0001", missing.problem


def moved(test):
    """`schema export` and `import`: ids, versions, settings and what is deleted are the same there."""
    server = started(test)
    registered(test, server, "base", json.dumps(AVRO), "avro")
    line = {"type": "record", "name": "Line", "fields": [{"name": "order", "type": "Order"}]}
    schema(test, server, "register", "line", "-", "--type", "avro", "--reference", "Order=base:1", stdin=json.dumps(line))
    registered(test, server, ":.shop:orders", json.dumps(JSON), "json")
    # A name without a context is one of its subject's.
    registered(test, server, "parts", '"string"', "avro")
    registered(test, server, ":.shop:parts", json.dumps(AVRO), "avro")
    schema(test, server, "register", ":.shop:line", "-", "--type", "avro", "--reference", "Order=parts:1", stdin=json.dumps(line))
    registered(test, server, "gone", '{"type": "string"}', "json")
    schema(test, server, "delete", "gone", "--version", "1")
    exported = schema(test, server, "export").stdout
    other = test.server("other", options=["--schema-registry", "127.0.0.1:0"]).start()
    assert "imported 7 versions of 7 subjects" in schema(test, other, "import", "-", stdin=exported).stderr
    assert schema(test, other, "export").stdout == exported
    assert schema(test, other, "list", "--output", "csv").stdout == schema(test, server, "list", "--output", "csv").stdout
    assert schema(test, other, "import", "-", stdin=exported).stderr, "again: nothing is to be done"
    cut = "\n".join(exported.splitlines()[:-2]) + "\n"
    assert "MR-CLI-0051" in schema(test, other, "import", "-", stdin=cut, code=1).stderr
    assert schema(test, server, "get", "--id", "1").stdout.strip() == json.dumps(AVRO, separators=(",", ":"))
    bad = schema(test, server, "check", "base", "-", "--type", "avro", code=1,
                 stdin=json.dumps({"type": "record", "name": "Order", "fields": [{"name": "x", "type": "long"}]}))
    for command in ("register", "s", test.root, "--type", "json"), ("import", test.root):
        assert "MR-CLI-0011" in schema(test, server, *command, code=1).stderr, "a folder is no empty file"
    assert "READER_FIELD_MISSING_DEFAULT_VALUE" in bad.stdout and "MR-CLI-0053" in bad.stderr, bad


def deleted(test):
    """For good: one version, the same one in both steps, whether or not it is deleted already."""
    server = started(test)

    def versions():
        lines = schema(test, server, "list", "--all", "--deleted", "--output", "csv").stdout.splitlines()[1:]
        return [line.split(",")[:2] for line in lines]

    def erased(version):
        return schema(test, server, "delete", "s", "--version", version, "--permanent").stderr

    for text in ('{"type": "string"}', '{"type": "string", "title": "2"}', '{"type": "string", "title": "3"}'):
        registered(test, server, "s", text, "json")
    schema(test, server, "delete", "s", "--version", "3")
    assert erased("latest") == "erased s: version 2\n"
    assert versions() == [["s", "1"], ["s", "3"]], versions()
    assert erased("3") == "erased s: version 3\n"
    schema(test, server, "delete", "s", "--version", "latest")
    assert erased("latest") == "erased s: version 1\n"
    assert versions() == []
    registered(test, server, "s", '{"type": "string"}', "json")
    schema(test, server, "delete", "s", "--version", "all")
    assert erased("all").startswith("erased s: versions ["), "what is deleted already"
    assert versions() == []
    assert "40401" in schema(test, server, "delete", "s", "--version", "latest", "--permanent", code=1).stderr


class Answering(http.server.BaseHTTPRequestHandler):
    """What looks like a registry, and answers everything with the server's `answer`: a status and a body."""

    def do_GET(self):  # pylint: disable=invalid-name
        status, body = self.server.answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    do_POST = do_PUT = do_DELETE = do_GET  # pylint: disable=invalid-name

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


def modes(server):
    """What is not as it is at first, of the default context and of `:.shop:`."""
    with open(os.path.join(server.directory, "schema-registry.port"), encoding="ascii") as f:
        url = f"http://127.0.0.1:{int(f.read())}"

    def mode(path):
        try:
            with urllib.request.urlopen(url + path) as answer:
                return json.load(answer)["mode"]
        except urllib.error.HTTPError as refused:
            return json.load(refused)["error_code"]

    return mode("/mode"), mode("/mode/:.shop:")


READWRITE = ("READWRITE", 40409)


def json_of_another_shape(test):
    """It is refused, and nothing stays as the command alone needs it."""
    server = started(test)
    good = {"subject": ":.shop:s", "version": 1, "id": 1, "schemaType": "JSON", "schema": '{"type": "string"}'}
    for line in (5, [], None, {"subject": 5}, {**good, "subject": None}, {**good, "version": "1"}, {**good, "version": [1]},
                 {**good, "deleted": "no"}, {"config": 1, "value": {}}, {"config": "", "value": "FULL"}, {"config": ""},
                 {"mode": {}, "value": "READWRITE"}, {"mode": "", "value": 1}, {"end": 1}, {"end": {"versions": "1"}}):
        lines = "\n".join(json.dumps(one) for one in (good, line)) + "\n"
        assert "MR-CLI-0051" in schema(test, server, "import", "-", code=1, stdin=lines).stderr, line
        assert modes(server) == READWRITE, line
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        commands = [("register", "s", "-", "--type", "json"), ("get", "s"), ("list",), ("diff", "s", "1"), ("export",),
                    ("check", "s", "-", "--type", "json"), ("delete", "s", "--version", "latest", "--permanent")]
        for answer in (200, ""), (200, "5"), (200, "[5]"), (200, '{"id": "1", "schema": 5, "version": null}'), (200, "<html>"), \
                (404, '{"error_code": 5, "message": 5}'), (500, '{"error_code": [], "message": null}'):
            other.answer = answer
            for command in commands:
                done = test.cli("schema", *command, "--registry", f"http://127.0.0.1:{other.server_address[1]}", stdin="{}")
                # What is listed are objects of any members.
                good = command == ("list",) and answer[1] == "[5]"
                assert done.returncode == (0 if good else 1) and ("MR-CLI-0050" in done.stderr) != good, (answer, command, done)
        other.shutdown()


class AnsweringLate(Answering):
    """The first that sets the mode back gets no answer."""

    def do_POST(self):  # pylint: disable=invalid-name
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def do_PUT(self):  # pylint: disable=invalid-name
        mode = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["mode"]
        self.server.modes.append(mode)
        if self.server.modes.count("READWRITE") == 1 and mode == "READWRITE":
            self.server.over.wait(60)
            return
        self.do_GET()


def a_mode_that_is_set_back_late(test):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), AnsweringLate) as other:
        other.answer, other.modes, other.over = (200, '{"id": 1}'), [], threading.Event()
        threading.Thread(target=other.serve_forever, daemon=True).start()
        line = {"subject": "s", "version": 1, "id": 1, "schemaType": "JSON", "schema": "{}"}
        done = test.cli("schema", "import", "-", "--registry", f"http://127.0.0.1:{other.server_address[1]}",
                        stdin=json.dumps(line) + "\n{}\n")
        other.over.set()
        assert done.returncode == 1 and "MR-CLI-0051" in done.stderr and "MR-CLI-0054" not in done.stderr, done
        assert other.modes == ["IMPORT", "READWRITE", "READWRITE"], other.modes
        other.shutdown()


def an_import_that_is_cut_off(test):
    """By a signal while its input waits, and by the end of the registry."""
    server = started(test)
    lines = "".join(json.dumps({"subject": subject, "version": 1, "id": 1, "schemaType": "JSON", "schema": '{"type": "string"}'}) + "\n"
                    for subject in ("s", ":.shop:s"))

    def begun():
        with open(os.path.join(server.directory, "schema-registry.port"), encoding="ascii") as f:
            url = f"http://127.0.0.1:{int(f.read())}"
        process = subprocess.Popen([test.binary, "schema", "import", "-", "--registry", url], text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdin.write(lines)
        process.stdin.flush()
        deadline = time.monotonic() + 15
        while modes(server) != ("IMPORT", "IMPORT"):
            assert time.monotonic() < deadline, modes(server)
            time.sleep(0.01)
        return process

    for number in (signal.SIGINT, signal.SIGTERM):
        process = begun()
        process.send_signal(number)
        said = process.stderr.read()
        assert process.wait(15) == 1 and "MR-CLI-0015" in said and "MR-CLI-0054" not in said, said
        assert modes(server) == READWRITE
    process = begun()
    server.kill()
    said = process.communicate("{}\n", timeout=15)[1]
    # The line, or the answer to the one before.
    assert process.returncode != 0 and ("MR-CLI-0051" in said or "MR-CLI-0001" in said), said
    assert "MR-CLI-0054" in said and "the default context, :.shop:" in said, said
    server.start()
    assert modes(server) == ("IMPORT", "IMPORT")
    schema(test, server, "import", "-", stdin=lines + '{"end": {"versions": 2}}\n')
    assert modes(server) == READWRITE


if __name__ == "__main__":
    main([json_schema, avro_and_protobuf, wrong, before_a_new_version, registered_again, moved_on, moved, deleted,
          json_of_another_shape, a_mode_that_is_set_back_late, an_import_that_is_cut_off])
