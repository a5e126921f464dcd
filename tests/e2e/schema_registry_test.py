#!/usr/bin/env python3
"""The schema registry by its own port: over kills, alone, two servers on one PostgreSQL, tokens, and released clients with their
serializers. The clients are of PyPI (tools/python_packages.txt) and npm (tools/node)."""
import base64
import contextlib
import glob
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time

from harness import ROOT, main
from http_test import parse_metrics
from telemetry_test import check_histograms, promtool

sys.path.insert(0, os.path.join(ROOT, "tests", "sql"))
sys.path.insert(0, os.path.join(ROOT, "build", "python"))
import postgres  # noqa: E402

ORDER = json.dumps({"type": "record", "name": "Order", "fields": [{"name": "id", "type": "long"}]})
ORDER_2 = json.dumps({"type": "record", "name": "Order", "fields": [
    {"name": "id", "type": "long"}, {"name": "note", "type": "string", "default": ""}]})
ORDER_BAD = json.dumps({"type": "record", "name": "Order", "fields": [
    {"name": "id", "type": "long"}, {"name": "other", "type": "string"}]})


class Alone:
    """`millrace serve --services=schema-registry`"""

    def __init__(self, test, name, *options):
        self.directory = os.path.join(test.root, name)
        self.log = self.directory + ".log"
        self.command = [test.binary, "serve", "--services=schema-registry", "--data", self.directory,
                        "--schema-registry", "127.0.0.1:0", *options]

    def __enter__(self):
        port_file = os.path.join(self.directory, "schema-registry.port")
        with contextlib.suppress(FileNotFoundError):
            os.remove(port_file)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while not os.path.exists(port_file):
            assert self.process.poll() is None and time.monotonic() < deadline, self.tail()
            time.sleep(0.01)
        self.port = port_of(self.directory)
        return self

    def tail(self):
        with open(self.log, encoding="utf-8") as f:
            return f.read()[-2000:]

    def __exit__(self, kind, *_):
        self.process.send_signal(signal.SIGKILL if kind else signal.SIGTERM)
        code = self.process.wait(30)
        assert kind or code == 0, self.tail()


def port_of(directory):
    with open(os.path.join(directory, "schema-registry.port"), encoding="ascii") as f:
        return int(f.read())


def call(port, method, path, body=None, headers=None):
    """The status and what the answer holds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        text = None if body is None else json.dumps(body)
        given = {"Content-Type": "application/vnd.schemaregistry.v1+json"} if text else {}
        connection.request(method, path, text, {**given, **(headers or {})})
        answer = connection.getresponse()
        got = answer.read()
        return answer.status, json.loads(got) if got else None
    finally:
        connection.close()


def register(port, subject, schema, **more):
    return call(port, "POST", f"/subjects/{subject}/versions", {"schema": schema, **more})


def whole(port):
    """All that a registry says of itself."""
    return [call(port, "GET", path) for path in ("/subjects?deleted=true", "/schemas?deleted=true", "/config", "/mode", "/contexts",
                                                 "/subjects/s/versions?deleted=true", "/config/s", "/schemas/ids/1")]


def a_restart_keeps_everything(test):
    server = test.server(options=["--schema-registry", "127.0.0.1:0"]).start()
    port = port_of(server.directory)
    assert register(port, "s", ORDER) == (200, {"id": 1})
    assert register(port, "s", ORDER_2) == (200, {"id": 2})
    assert register(port, ":.ctx:t", ORDER) == (200, {"id": 1})
    status, problem = register(port, "s", ORDER_BAD)
    assert status == 409 and problem["error_code"] == 40901, problem
    assert call(port, "PUT", "/config/s", {"compatibility": "FULL"})[0] == 200
    for number, string in enumerate((r"\xff", r"x\0y", r"\n"), 3):  # strings of Protobuf are any bytes
        text = f'syntax = "proto2"; message M {{ optional string s = {number} [default = "{string}"]; }}'
        assert register(port, f"p{number}", text, schemaType="PROTOBUF") == (200, {"id": number})
    # As it is printed it is too large to be read again.
    text = 'syntax = "proto3"; enum E {' + "".join(f"VALUE_{i:05}={i};" for i in range(49_000)) + "}"
    status, problem = register(port, "large", text, schemaType="PROTOBUF")
    assert len(text) < 1 << 20 and (status, problem["error_code"]) == (422, 42209), (status, problem)
    assert call(port, "DELETE", "/subjects/s/versions/1") == (200, 1)
    before = whole(port)
    server.kill()
    server.start()
    port = port_of(server.directory)
    assert whole(port) == before
    assert register(port, "u", json.dumps("string")) == (200, {"id": 6})
    assert server.stop() == 0
    with Alone(test, "data") as alone:  # the same directory
        assert call(alone.port, "GET", "/subjects")[1] == [":.ctx:t", "p3", "p4", "p5", "s", "u"]


def what_http_refuses(test):
    with Alone(test, "alone") as registry:
        for path, status in (("/subjects/%2E%2E/versions", 400), ("/subjects/%ZZ", 400), ("/nothing", 404)):
            got, problem = call(registry.port, "GET", path)
            assert got == status and problem["error_code"] == status, (path, problem)
        got, problem = call(registry.port, "GET", "/subjects", headers={"Host": "elsewhere.example"})
        assert got == 421 and "MR-API-0008" in problem["message"], problem
        got, problem = call(registry.port, "GET", "/subjects", headers={"Accept": "text/html"})
        assert got == 406, problem
        got, problem = call(registry.port, "GET", "/subjects/a/metadata?key=a&value=b&key=c&value=d")
        assert problem["error_code"] == 40401, problem


def make_token(test, name, tenant, *scopes):
    made = test.cli("tokens", "create", "--data", os.path.join(test.root, name), "--tenant", tenant,
                    *[a for s in scopes for a in ("--scope", s)])
    assert made.returncode == 0, made
    return next(w for w in made.stdout.split() if w.startswith("mrt_"))


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def metrics(port, path="/metrics", token=None):
    """A page's series: name{labels} and value."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        connection.request("GET", path, headers=bearer(token) if token else {})
        answer = connection.getresponse()
        text = answer.read().decode()
        assert answer.status == 200, text
    promtool("check", "metrics", text=text.encode())
    check_histograms(parse_metrics(text))
    return {k: v for _, series in parse_metrics(text).values() for k, v in series.items()}


def metrics_tell_what_it_does(test):
    admin, other = make_token(test, "metrics", "one", "admin"), make_token(test, "metrics", "two", "admin")
    with Alone(test, "metrics") as registry:
        def ask(token, method, path, body=None):
            return call(registry.port, method, path, body, bearer(token))[0]

        def post(token, subject, schema):
            return ask(token, "POST", f"/subjects/{subject}/versions", {"schema": schema})

        assert call(registry.port, "GET", "/subjects")[0] == 401
        assert [post(admin, "s", ORDER), post(admin, "s", ORDER_2), post(admin, "t", ORDER), post(other, "s", ORDER)] == [200] * 4
        assert [post(admin, "s", ORDER_BAD), ask(admin, "GET", "/subjects/none/versions")] == [409, 404]
        page = metrics(registry.port, token=admin)
        for name, value in (('requests_total{class="2xx"}', 4), ('requests_total{class="4xx"}', 3), ('errors_total{code="40901"}', 1),
                            ('errors_total{code="40401"}', 1), ('errors_total{code="401"}', 1), ("subjects{}", 3), ("versions{}", 4),
                            ("schemas{}", 3), ("waiting{}", 0), ("store_failures_total{}", 0), ("request_seconds_count{}", 6)):
            assert page["millrace_registry_" + name] == value, (name, page["millrace_registry_" + name])
        assert page["millrace_registry_parsed_bytes{}"] > len(ORDER) and page["process_open_fds{}"] > 0
        assert ask(admin, "DELETE", "/subjects/s") == ask(admin, "DELETE", "/subjects/s?permanent=true") == 200
        full = metrics(registry.port, "/metrics/full", admin)
        of = {k: v for k, v in full.items() if k.startswith("millrace_tenant_registry")}
        assert of == {f'millrace_tenant_registry_{name}{{tenant="one"}}': 1 for name in ("subjects", "versions", "schemas")}, of
    server = test.server("with_node", options=["--schema-registry", "127.0.0.1:0"]).start()
    assert register(port_of(server.directory), "s", ORDER) == (200, {"id": 1})
    for port in (port_of(server.directory), server.port):
        assert metrics(port)["millrace_registry_subjects{}"] == 1
        assert metrics(port, "/metrics/full")['millrace_tenant_registry_subjects{tenant="default"}'] == 1
    assert server.stop() == 0


def changes_are_in_the_audit_log(test):
    admin, producer = make_token(test, "audit", "one", "admin"), make_token(test, "audit", "one", "ingest:orders*")
    server = test.server("audit", options=["--schema-registry", "127.0.0.1:0"]).start()
    port = port_of(server.directory)

    def ask(token, method, path, body=None):
        return call(port, method, path, body, bearer(token))[0]

    for token, subject, schema, status in ((producer, "orders", ORDER, 200), (producer, "orders", ORDER, 200),
                                           (producer, "orders", ORDER_BAD, 409), (producer, "others", ORDER, 403)):
        assert ask(token, "POST", f"/subjects/{subject}/versions", {"schema": schema}) == status
    assert ask(admin, "PUT", "/config/orders", {"compatibility": "FULL"}) == 200
    assert ask(admin, "PUT", "/mode/old", {"mode": "IMPORT"}) == 200
    assert ask(admin, "POST", "/subjects/old/versions", {"schema": ORDER, "id": 1, "version": 3}) == 200
    assert ask(admin, "DELETE", "/subjects/orders/versions/1") == 200
    assert ask(admin, "DELETE", "/subjects/none") == 404
    shown = [json.loads(line) for line in test.cli("audit", "show", "--data", server.directory).stdout.splitlines()]
    of = [line for line in shown if line["act"] != "CREATE TOKEN"]
    assert [(line["act"], line["what"], line["outcome"]) for line in of] == [
        ("REGISTER SCHEMA", "orders: version 1 id 1", "ok"), ("REGISTER SCHEMA", "orders", "40901"),
        ("REGISTER SCHEMA", "others", "40301"), ("SET CONFIG", "orders: config compatibilityLevel FULL", "ok"), ("SET MODE", "old: mode IMPORT", "ok"),
        ("IMPORT SCHEMA", "old: version 3 id 1", "ok"), ("DELETE SCHEMA", "orders: version 1", "ok"),
        ("DELETE SUBJECT", "none", "40401")], of
    who = {token: "token " + token.split("_")[1] for token in (admin, producer)}
    assert {(line["who"], line["tenant"], line["from"]) for line in of[:3]} == {(who[producer], "one", "127.0.0.1")}, of
    assert {line["who"] for line in of[3:]} == {who[admin]}, of
    assert test.cli("audit", "verify", "--data", server.directory).returncode == 0


def pages_of_named_origins_may_call(test):
    admin = make_token(test, "pages", "one", "admin")

    def ask(port, method, path, headers):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}

    page = {"Origin": "https://console.example.com"}
    wish = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    with Alone(test, "pages", "--cors-origin", page["Origin"]) as registry:
        status, headers = ask(registry.port, "OPTIONS", "/contexts/.ctx/subjects/s/versions", {**page, **wish})
        assert status == 204 and headers["access-control-allow-origin"] == page["Origin"], headers
        assert headers["access-control-allow-methods"] == headers["allow"] == "GET, HEAD, POST, OPTIONS", headers
        assert "Authorization" in headers["access-control-allow-headers"] and headers["vary"] == "Origin", headers
        for path, token, wanted in (("/subjects", admin, 200), ("/subjects", "none", 401), ("/nothing", admin, 404)):
            status, headers = ask(registry.port, "GET", path, {**page, **bearer(token)})
            assert status == wanted and headers["access-control-allow-origin"] == page["Origin"], (path, status, headers)
        for method in ("OPTIONS", "GET"):
            status, headers = ask(registry.port, method, "/subjects", {"Origin": "https://other.example.com", **bearer(admin)})
            assert status == 403 and "access-control-allow-origin" not in headers, headers
        assert ask(registry.port, "OPTIONS", "/nothing", page)[0] == 401
        assert ask(registry.port, "OPTIONS", "/nothing", {**page, **bearer(admin)})[0] == 404
        status, headers = ask(registry.port, "OPTIONS", "/config/s", {})
        assert status == 204 and headers["allow"] == "GET, HEAD, PUT, DELETE, OPTIONS", headers


def reserved_fields_and_trusted_writers(test):
    """In every format that there is: the text cases have a format of their own."""
    reserved = {"metadata": {"properties": {"confluent:reserved": "old, gone"}}}
    property_ = {"properties": {"old": {"type": "string"}}}
    message = 'syntax = "proto3"; message A {{ string id = 1; }} message B {{ {} message C {{ string gone = 1; }} }}'
    schemas = {
        "AVRO": (ORDER, ORDER_2.replace("note", "old")),
        "JSON": (json.dumps({"type": "object", "properties": {"id": {"properties": {"old": True}}}}),
                 json.dumps({"$ref": "#/definitions/o", "definitions": {"o": property_}})),
        "PROTOBUF": (message.format(""), message.format("string old = 1;")),
    }
    with Alone(test, "reserved") as registry:
        assert call(registry.port, "PUT", "/config", {"validateFields": True})[0] == 200
        for kind, (good, bad) in schemas.items():
            assert register(registry.port, kind, good, schemaType=kind, **reserved)[0] == 200, kind
            assert call(registry.port, "PUT", f"/config/{kind}", {"compatibility": "NONE"})[0] == 200
            status, problem = register(registry.port, kind, bad, schemaType=kind)
            assert status == 409 and "conflicts with the reserved field old." in problem["message"], (kind, problem)
        for policy, status in (("STRICT", 409), ("LENIENT", 200)):
            assert call(registry.port, "PUT", "/config/open", {"compatibilityPolicy": policy})[0] == 200
            for schema, wanted in ((json.dumps({"type": "object"}), 200), (json.dumps({"type": "object", **property_}), status)):
                assert register(registry.port, "open", schema, schemaType="JSON")[0] == wanted, (policy, schema)


def tokens_are_tenants(test):
    def token(*what):
        return make_token(test, "tenants", *what)

    admin, producer, reader = token("one", "admin"), token("one", "ingest:orders*"), token("two", "read")
    with Alone(test, "tenants") as registry:
        def ask(secret, method, path, body=None):
            basic = base64.b64encode(f"any:{secret}".encode()).decode()
            by_basic = call(registry.port, method, path, body, {"Authorization": f"Basic {basic}"})
            assert by_basic == call(registry.port, method, path, body, {"Authorization": f"Bearer {secret}"})
            return by_basic

        assert call(registry.port, "GET", "/subjects")[0] == 401
        assert ask("mrt_0000000000000000_" + "0" * 64, "GET", "/subjects")[0] == 401
        assert ask(producer, "POST", "/subjects/orders-value/versions", {"schema": ORDER}) == (200, {"id": 1})
        assert ask(producer, "POST", "/subjects/others-value/versions", {"schema": ORDER})[1]["error_code"] == 40301
        assert ask(producer, "PUT", "/config", {"compatibility": "NONE"})[0] == 403
        assert ask(admin, "PUT", "/config", {"compatibility": "NONE"})[0] == 200
        assert ask(admin, "GET", "/subjects") == (200, ["orders-value"])
        assert ask(reader, "GET", "/subjects") == (200, [])
        assert ask(reader, "GET", "/config") == (200, {"compatibilityLevel": "BACKWARD"})


def two_servers_on_one_postgres(test):
    """Each registers its own and the other's schemas at the same time: every schema has one id, every id one schema."""
    if not os.path.exists(postgres.BIN):
        assert not os.environ.get("MILLRACE_REQUIRE_POSTGRES")
        return
    with postgres.Postgres() as database:
        conninfo = f"postgresql://postgres@127.0.0.1:{database.port}/postgres"
        with Alone(test, "one", "--schema-registry-postgres", conninfo) as one, \
                Alone(test, "two", "--schema-registry-postgres", conninfo) as two:
            ids = [{}, {}]

            def run(registry, to):
                for i in range(40):
                    schema = json.dumps({"type": "fixed", "name": "F", "size": i + 1})
                    status, answer = register(registry.port, f"s{i}", schema)
                    assert status == 200, answer
                    to[i] = answer["id"]

            threads = [threading.Thread(target=run, args=(r, to)) for r, to in zip((one, two), ids)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert ids[0] == ids[1] and sorted(ids[0].values()) == list(range(1, 41)), ids
            # What one writes, the other answers at once.
            assert register(one.port, "last", ORDER) == (200, {"id": 41})
            assert call(two.port, "GET", "/schemas/ids/41")[1]["schema"] == call(one.port, "GET", "/schemas/ids/41")[1]["schema"]
            assert whole(one.port) == whole(two.port)
        with Alone(test, "one", "--schema-registry-postgres", conninfo) as again:
            assert register(again.port, "last", ORDER) == (200, {"id": 41})


def processes_under(pid):
    """Of a process and all that it has started; what ends meanwhile is left out."""
    out = [pid]
    for task in glob.glob(f"/proc/{pid}/task/*/children"):
        with contextlib.suppress(OSError), open(task, encoding="ascii") as f:
            for child in f.read().split():
                out += processes_under(int(child))
    return out


def a_frozen_postgres_holds_up_nobody_for_long(test):
    """Requests are refused, and the server ends when it is told to."""
    if not os.path.exists(f"{postgres.BIN}/initdb"):
        assert not os.environ.get("MILLRACE_REQUIRE_POSTGRES"), "PostgreSQL is not installed"
        return
    with postgres.Postgres() as database, contextlib.ExitStack() as stack:
        conninfo = f"host=127.0.0.1 port={database.port} user=postgres dbname=postgres connect_timeout=2"
        registry = stack.enter_context(Alone(test, "frozen", "--schema-registry-postgres", conninfo))
        assert register(registry.port, "s", ORDER) == (200, {"id": 1})
        with open(f"{database.data}/postmaster.pid", encoding="ascii") as f:
            frozen = processes_under(int(f.readline()))
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        stack.callback(lambda: [os.kill(pid, signal.SIGCONT) for pid in frozen])
        # What is known by its id is answered all the same, before anything waits for the store.
        assert call(registry.port, "GET", "/schemas/ids/1")[0] == 200
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(call(registry.port, "GET", "/subjects"))) for _ in range(2)]
        for thread in threads:
            thread.start()
        time.sleep(0.2)
        registry.process.send_signal(signal.SIGTERM)
        assert registry.process.wait(25) == 0, registry.tail()
        for thread in threads:
            thread.join()
        assert [(status, body["error_code"]) for status, body in answers] == [(500, 50001)] * 2, answers


def protobuf_class(*names):
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    file = descriptor_pb2.FileDescriptorProto(name="order.proto", package="shop", syntax="proto3")
    message = file.message_type.add(name="Order")
    for number, name in enumerate(names, 1):
        message.field.add(name=name, number=number, label=1, type=9, json_name=name)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.Order"))


def the_python_client(test):
    from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
    from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
    from confluent_kafka.schema_registry.error import SchemaRegistryError
    from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
    from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
    from confluent_kafka.serialization import MessageField, SerializationContext

    with Alone(test, "python") as registry:
        client = SchemaRegistryClient({"url": f"http://127.0.0.1:{registry.port}"})
        first = client.register_schema("orders-value", Schema(ORDER, "AVRO"))
        assert client.register_schema("orders-value", Schema(ORDER_2, "AVRO")) == first + 1
        assert json.loads(client.get_schema(first).schema_str)["name"] == "Order"
        assert client.lookup_schema("orders-value", Schema(ORDER_2, "AVRO")).version == 2
        assert client.get_latest_version("orders-value").schema_id == first + 1
        assert client.get_versions("orders-value") == [1, 2] and client.get_subjects() == ["orders-value"]
        assert not client.test_compatibility("orders-value", Schema(ORDER_BAD, "AVRO"))
        try:
            client.register_schema("orders-value", Schema(ORDER_BAD, "AVRO"))
            raise AssertionError("an incompatible schema was taken")
        except SchemaRegistryError as e:
            assert e.http_status_code == 409 and e.error_code == 40901, e
        refers = json.dumps({"type": "record", "name": "Cart", "fields": [{"name": "first", "type": "Order"}]})
        cart = client.register_schema("carts", Schema(refers, "AVRO", [SchemaReference("Order", "orders-value", 1)]))
        assert client.get_schema(cart).references[0].subject == "orders-value"
        client.set_compatibility("orders-value", "FULL")
        assert client.get_compatibility("orders-value") == "FULL"
        assert client.get_schema_types() and "AVRO" in client.get_schema_types()
        client.delete_subject("carts")
        client.delete_subject("carts", permanent=True)
        assert client.get_subjects() == ["orders-value"]

        field = SerializationContext("orders", MessageField.VALUE)
        to_avro = AvroSerializer(client, ORDER_2)
        from_avro = AvroDeserializer(client, ORDER_2)
        assert from_avro(to_avro({"id": 7, "note": "x"}, field), field) == {"id": 7, "note": "x"}

        json_schema = json.dumps({"$schema": "http://json-schema.org/draft-07/schema#", "title": "Order", "type": "object",
                                  "properties": {"id": {"type": "integer"}}, "required": ["id"]})
        field = SerializationContext("documents", MessageField.VALUE)
        assert JSONDeserializer(json_schema, schema_registry_client=client)(
            JSONSerializer(json_schema, client)({"id": 7}, field), field) == {"id": 7}

        for schema, good in ((json_schema, True), (json_schema.replace("integer", "string"), False)):
            assert client.test_compatibility("documents-value", Schema(schema, "JSON")) == good, schema

        field = SerializationContext("messages", MessageField.VALUE)
        message = protobuf_class("id", "note")
        bytes_ = ProtobufSerializer(message, client, {"use.deprecated.format": False})(message(id="7", note="x"), field)
        assert ProtobufDeserializer(message, {"use.deprecated.format": False}, client)(bytes_, field) == message(id="7", note="x")
        proto = client.get_latest_version("messages-value").schema.schema_str
        for schema, good in ((proto, True), (proto.replace("string id", "int64 id"), False)):
            assert client.test_compatibility("messages-value", Schema(schema, "PROTOBUF")) == good, schema


def the_python_serializers(test):
    """Both ends, in three formats: old and new readers and writers, and what they refuse."""
    from confluent_kafka.schema_registry import Schema, SchemaRegistryClient, header_schema_id_serializer
    from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
    from confluent_kafka.schema_registry.error import SchemaRegistryError
    from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
    from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
    from confluent_kafka.serialization import MessageField, SerializationContext, SerializationError

    def refused(act, *wanted):
        try:
            act()
        except SchemaRegistryError as e:
            assert (e.http_status_code, e.error_code) == wanted, e
        else:
            raise AssertionError(f"it was taken, and not answered {wanted}")

    def json_of(**properties):
        return json.dumps({"$schema": "http://json-schema.org/draft-07/schema#", "title": "Order", "type": "object", "required": ["id"],
                           "additionalProperties": False, "properties": {name: {"type": kind} for name, kind in properties.items()}})

    old, new = protobuf_class("id"), protobuf_class("id", "note")
    written = [{"id": 7}, {"id": 8, "note": "six bytes at least"}]
    # Writers and readers of each version, what a reader of version i makes of an event of version j, one that fits neither, and
    # an incompatible writer.
    formats = {
        "AVRO": ([ORDER, ORDER_2], written, [[{"id": 7}, {"id": 8}], [{"id": 7, "note": ""}, written[1]]], {"id": "7"},
                 (ORDER_BAD, {"id": 7, "other": "x"}), lambda schema, conf: AvroSerializer(client(), schema, conf=conf),
                 lambda schema: AvroDeserializer(client(), schema)),
        "JSON": ([json_of(id="integer"), json_of(id="integer", note="string")], written, [[written[0], None], written], {"id": "7"},
                 (json_of(id="string"), {"id": "7"}), lambda schema, conf: JSONSerializer(schema, client(), conf=conf),
                 lambda schema: JSONDeserializer(schema, schema_registry_client=client())),
        "PROTOBUF": ([old, new], [old(id="7"), new(id="8", note="six bytes at least")], None, {"id": "7"}, None,
                     lambda message, conf: ProtobufSerializer(message, client(), conf),
                     lambda message: ProtobufDeserializer(message, {}, client())),
    }
    with Alone(test, "python_serializers") as registry:
        def client():  # one that has cached nothing
            return SchemaRegistryClient({"url": f"http://127.0.0.1:{registry.port}"})

        for kind, (schemas, events, expected, wrong, bad, serializer, deserializer) in formats.items():
            field = SerializationContext(kind, MessageField.VALUE)
            sent = [serializer(schema, {})(event, field) for schema, event in zip(schemas, events)]
            ids = [int.from_bytes(bytes_[1:5], "big") for bytes_ in sent]
            assert ids == [client().get_version(f"{kind}-value", version).schema_id for version in (1, 2)] and ids[0] != ids[1], ids
            for i, schema in enumerate(schemas):
                for j, bytes_ in enumerate(sent):
                    read = deserializer(schema)
                    if expected is None:
                        assert read(bytes_, field) == schema.FromString(events[j].SerializeToString()), (kind, i, j)
                    elif expected[i][j] is None:  # it has a member that the reader's schema refuses
                        try:
                            read(bytes_, field)
                            raise AssertionError("it was read")
                        except SerializationError:
                            pass
                    else:
                        assert read(bytes_, field) == expected[i][j], (kind, i, j)
            # The newest, whatever the writer has; and the GUID in a header.
            latest = {"auto.register.schemas": False, "use.latest.version": True}
            assert serializer(schemas[1], latest)(events[1], field) == sent[1]
            with_headers = SerializationContext(kind, MessageField.VALUE, [])
            bare = serializer(schemas[1], {"schema.id.serializer": header_schema_id_serializer})(events[1], with_headers)
            assert [name for name, _ in with_headers.headers] == ["__value_schema_id"] and len(bare) < len(sent[1])
            assert deserializer(schemas[1])(bare, with_headers) == deserializer(schemas[1])(sent[1], field)
            # What is refused: by the registry, and by the client.
            elsewhere = SerializationContext(f"no-{kind}", MessageField.VALUE)
            refused(lambda: serializer(schemas[0], {"auto.register.schemas": False})(events[0], elsewhere), 404, 40401)
            refused(lambda: serializer(schemas[0], {"auto.register.schemas": False, "use.schema.id": 999999})(events[0], field), 404, 40403)
            refused(lambda: deserializer(schemas[0])(sent[0][:1] + (999999).to_bytes(4, "big") + sent[0][5:], field), 404, 40403)
            if bad is not None:
                refused(lambda: serializer(bad[0], {})(bad[1], field), 409, 40901)
            try:
                serializer(schemas[0], {})(wrong, field)
                raise AssertionError(f"{kind}: {wrong} was written")
            except (SerializationError, ValueError, TypeError):
                pass
        # One normal form, in which a serializer registers what it is told to.
        one, other = ('{"type": "enum", "name": "E", "symbols": ["A"], ' + rest for rest in ('"x": 1, "y": 2}', '"y": 2, "x": 1}'))
        for topic, normalize, versions in (("normal", True, [1]), ("plain", False, [1, 2])):
            for schema in (one, other):
                AvroSerializer(client(), schema, conf={"normalize.schemas": normalize})("A", SerializationContext(topic, MessageField.VALUE))
            assert client().get_versions(f"{topic}-value") == versions
        refused(lambda: client().register_schema("s", Schema("{", "AVRO")), 422, 42201)
        refused(lambda: client().get_version("AVRO-value", 9), 404, 40402)
        refused(lambda: client().delete_subject("AVRO-value", permanent=True), 404, 40405)
        refused(lambda: client().set_compatibility("AVRO-value", "SIDEWAYS"), 422, 42203)
        refused(lambda: client().update_mode("AVRO-value", "SIDEWAYS"), 422, 42204)
        refused(lambda: client().update_mode("AVRO-value", "IMPORT"), 422, 42205)


def run_node(script, *arguments):
    """One of this folder, with what tools/node names."""
    done = subprocess.run(["node", os.path.join(ROOT, "tests", "e2e", script), *arguments], capture_output=True, text=True, timeout=120,
                          env={**os.environ, "NODE_PATH": os.path.join(ROOT, "build", "node", "node_modules")})
    assert done.returncode == 0, done.stderr


def the_confluent_client_for_node(test):
    token = make_token(test, "confluent", "one", "admin")
    with Alone(test, "confluent") as registry:
        run_node("schema_registry_confluent.js", f"http://127.0.0.1:{registry.port}", token)


def the_kafkajs_client(test):
    with Alone(test, "kafkajs") as registry:
        run_node("schema_registry_kafkajs.js", f"http://127.0.0.1:{registry.port}")
        names = {f"{what}-{kind}" for what in ("node", "order", "line") for kind in ("AVRO", "JSON", "PROTOBUF")}
        assert set(call(registry.port, "GET", "/subjects")[1]) == names


if __name__ == "__main__":
    main([a_restart_keeps_everything, what_http_refuses, metrics_tell_what_it_does, changes_are_in_the_audit_log,
          pages_of_named_origins_may_call, reserved_fields_and_trusted_writers, tokens_are_tenants, two_servers_on_one_postgres,
          a_frozen_postgres_holds_up_nobody_for_long, the_python_client, the_python_serializers, the_confluent_client_for_node,
          the_kafkajs_client])
