#!/usr/bin/env python3
"""Events as released serializers write them: confluent-kafka's, of Avro, JSON Schema and Protobuf, by HTTP."""
import json
import os
import struct
import subprocess
import sys
import threading
import uuid

from harness import ROOT, main
from schema_registry_test import call, port_of, protobuf_class, register

sys.path.insert(0, os.path.join(ROOT, "build", "python"))

VALUE, VALUES = {"Content-Type": "application/octet-stream"}, {"Content-Type": "application/vnd.millrace.values"}
ORDER = {"type": "record", "name": "Order", "namespace": "shop", "fields": [
    {"name": "id", "type": "long"},
    {"name": "customer", "type": "string"},
    {"name": "total", "type": {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}},
    {"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    {"name": "day", "type": {"type": "int", "logicalType": "date"}},
    {"name": "weight", "type": ["null", "double"], "default": None},
    {"name": "state", "type": {"type": "enum", "name": "State", "symbols": ["NEW", "PAID"]}},
    {"name": "tags", "type": {"type": "array", "items": "string"}},
    {"name": "raw", "type": "bytes"},
    {"name": "place", "type": {"type": "record", "name": "Place", "fields": [{"name": "city", "type": ["null", "string"], "default": None}]}}]}
JSON = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Order", "type": "object", "required": ["id"],
        "properties": {"id": {"type": "integer", "minimum": 1}, "note": {"type": "string"}}}


def started(test, *options):
    server = test.server(options=["--schema-registry", "127.0.0.1:0", *options]).start()
    return server, port_of(server.directory)


def client_of(server):
    from confluent_kafka.schema_registry import SchemaRegistryClient
    return SchemaRegistryClient({"url": f"http://127.0.0.1:{port_of(server.directory)}"})


def field(topic):
    from confluent_kafka.serialization import MessageField, SerializationContext
    return SerializationContext(topic, MessageField.VALUE)


def container(values):
    return b"".join(struct.pack(">I", len(value)) + value for value in values)


def send(server, stream, body, headers=VALUES, **more):
    return json.loads(server.call("POST", f"/v1/streams/{stream}/events", body, {**headers, **more})[0])


def refused(server, stream, body, headers=VALUES):
    got = server.refusal("POST", f"/v1/streams/{stream}/events", body, headers)
    return got.status, json.loads(got.body)


def rejected(server, stream, value):
    status, answer = refused(server, stream, value, VALUE)
    assert status == 400 and answer["accepted"] == 0 and len(answer["rejected"]) == 1, answer
    return answer["rejected"][0]["code"]


def an_order(n):
    import datetime
    import decimal
    return {"id": n, "customer": f"c{n % 3} \"ü\"", "total": decimal.Decimal(n).scaleb(-2), "day": datetime.date(2026, 1, 2),
            "at": datetime.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=datetime.timezone.utc), "weight": None if n % 2 else n / 4,
            "state": "NEW", "tags": ["a", "b\n"][: n % 3], "raw": bytes([0, 255, n % 256]), "place": {"city": None if n % 2 else "x"}}


def avro(test):
    from confluent_kafka.schema_registry.avro import AvroSerializer
    server, port = started(test)
    serialize = AvroSerializer(client_of(server), json.dumps(ORDER))
    values = [serialize(an_order(n), field("orders")) for n in range(100)]
    server.sql("CREATE STREAM orders WITH (schema = 'orders-value', key = 'customer', partitions = 3);"
               "CREATE MATERIALIZED VIEW totals AS SELECT customer, sum(total) AS total, count(weight) AS n FROM orders GROUP BY customer")
    assert send(server, "orders", container(values))["accepted"] == 100
    assert send(server, "orders", values[0], VALUE)["accepted"] == 1
    one = next(event for event in server.events("orders") if event["id"] == 2)
    assert one == {"id": 2, "customer": "c2 \"ü\"", "total": 0.02, "at": one["at"], "day": "2026-01-02", "weight": 0.5, "state": "NEW",
                   "tags": ["a", "b\n"], "raw": "\\x00ff02", "place": {"city": "x"}}, one
    rows = {row["customer"][:2]: row for row in server.sql("SELECT * FROM totals")}
    assert {c: (row["total"], row["n"]) for c, row in rows.items()} == {
        f"c{c}": (sum(n for n in range(100) if n % 3 == c) / 100, sum(1 for n in range(100) if n % 3 == c and n % 2 == 0) +
                  (c == 0)) for c in range(3)}, rows
    got = server.sql("SELECT at, day, raw, tags, place FROM orders WHERE id = 2")
    assert got[0]["at"].startswith("2026-01-02") and "678901" in got[0]["at"], got

    # The producer's version moves on: what it writes is read by the stream's version, until that is moved on, too.
    newer = json.loads(json.dumps(ORDER))
    newer["fields"].append({"name": "channel", "type": "string", "default": "shop"})
    less = json.loads(json.dumps(ORDER))
    del less["fields"][7]  # tags, for which the stream's version has no default
    value = AvroSerializer(client_of(server), json.dumps(less))({**an_order(1)}, field("less"))
    assert rejected(server, "orders", value) == "MR-AVRO-0013"
    next_one = AvroSerializer(client_of(server), json.dumps(newer))
    value = next_one({**an_order(200), "channel": "web"}, field("orders"))
    assert send(server, "orders", value, VALUE)["accepted"] == 1
    stored = [event for event in server.events("orders") if event["id"] == 200]
    assert len(stored) == 1 and "channel" not in stored[0], stored
    server.sql("ALTER STREAM orders SET (schema_version = 'latest')")
    assert send(server, "orders", container([value, values[1]]))["accepted"] == 2
    stored = [event for event in server.events("orders") if "channel" in event]
    assert sorted((event["id"], event["channel"]) for event in stored) == [(1, "shop"), (200, "web")], "a default of the reader's"

    # Everything is known again after a start, and values wait for it.
    server.kill()
    server.start()
    for _ in range(200):
        try:
            assert send(server, "orders", value, VALUE)["accepted"] == 1
            break
        except Exception as later:  # the stream's own schema is looked up first
            assert getattr(later, "status", None) == 503 and "MR-SCH-0003" in later.body, later
    got = server.sql("SELECT count(*) AS n FROM orders WHERE id = 200")
    assert got == [{"n": 3}], got
    events, _ = server.call("GET", "/v1/streams/orders/events?from=start&limit=500", None, {"Accept": "application/cloudevents-batch+json"})
    ids = [event["dataschema"] for event in json.loads(events)]
    counts = {schema: ids.count(schema) for schema in set(ids)}
    assert counts == {"/schemas/ids/1": 102, "/schemas/ids/3": 3}, counts


def json_schema(test):
    from confluent_kafka.schema_registry.json_schema import JSONSerializer
    server, _ = started(test)
    serialize = JSONSerializer(json.dumps(JSON), client_of(server))
    values = [serialize({"id": n, "note": "ü" * n}, field("j")) for n in range(1, 50)]
    server.sql("CREATE STREAM j WITH (schema = 'j-value', on_invalid = 'dead_letter')")
    assert send(server, "j", container(values))["accepted"] == 49
    assert [event["note"] for event in server.events("j")] == ["ü" * n for n in range(1, 50)]
    # By payload, whatever the id says.
    answer = send(server, "j", values[0][:5] + b'{"id": 0}', VALUE)
    assert answer["dead_letters"] == 1, answer
    letters = json.loads(server.call("GET", "/v1/dead-letters")[0])
    letter = json.loads(server.call("GET", f"/v1/dead-letters/{letters['items'][0]['id']}")[0])
    assert letter["payload"] == '{"id": 0}' and letter["code"] == "MR-JSCH-0007", letter
    assert rejected(server, "j", b"\0\0\0\0\x63{}") == "MR-SCH-0009"


def protobuf(test):
    from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
    server, port = started(test)
    message = protobuf_class("id", "note")
    serialize = ProtobufSerializer(message, client_of(server), {"use.deprecated.format": False})
    values = [serialize(message(id=str(n), note="x"), field("p")) for n in range(10)]
    server.sql("CREATE STREAM p (id TEXT, note TEXT) WITH (schema = 'p-value')")
    assert send(server, "p", container(values))["accepted"] == 10
    assert server.events("p") == [{"id": str(n), "note": "x"} for n in range(10)]
    # Another message of a file; one that is in no file; bytes that are none.
    two = 'syntax = "proto3"; package shop; message Order { string id = 1; message Line { string id = 1; } } message Other { int32 n = 1; }'
    status, told = register(port, "two", two, schemaType="PROTOBUF")
    assert status == 200, told
    frame = b"\0" + struct.pack(">I", told["id"])
    assert send(server, "p", frame + b"\0" + b"\x0a\x01z", VALUE)["accepted"] == 1, "the same message, by its name"
    assert server.events("p")[-1] == {"id": "z", "note": ""}
    for indexes, code in ((b"\x02\x02", "MR-SCH-0011"), (b"\x04\0\0", "MR-SCH-0011"), (b"\x02\x0e", "MR-PROTO-0006"), (b"\xff" * 11, "MR-PROTO-0006")):
        assert rejected(server, "p", frame + indexes) == code, indexes
    assert rejected(server, "p", frame + b"\0\xff") == "MR-PROTO-0007"
    # Integers of 64 bits are numbers, as columns take them; bytes are base64, as the mapping has them.
    status, told = register(port, "big", 'syntax = "proto3"; message Big { int64 n = 1; bytes b = 2; }', schemaType="PROTOBUF")
    server.sql("CREATE STREAM big (n BIGINT, b TEXT) WITH (schema = 'big')")
    value = b"\0" + struct.pack(">I", told["id"]) + b"\0\x08" + b"\xff" * 9 + b"\x01\x12\x01\xff"
    assert send(server, "big", value, VALUE)["accepted"] == 1
    assert server.events("big") == [{"n": -1, "b": "/w=="}] and server.sql("SELECT n, b FROM big") == [{"n": -1, "b": "/w=="}]


def much_of_few_bytes(test):
    """What a request becomes is bounded, in memory and in the log, and the node goes on."""
    server, port = started(test)
    fields = "".join(f"string some_field_{n} = {n}; " for n in range(1, 152))
    assert register(port, "p", f'syntax = "proto3"; message Many {{ {fields} }}', schemaType="PROTOBUF")[1] == {"id": 1}
    server.sql("CREATE STREAM p (some_field_1 TEXT) WITH (schema = 'p')")
    empty = b"\0\0\0\0\1\0"
    status, answer = refused(server, "p", container([empty] * 200_000))
    assert status == 413 and answer["code"] == "MR-ING-0012", answer
    assert send(server, "p", container([empty] * 1000))["accepted"] == 1000
    # Records whose reader has a large default, alone and many times in one value.
    reader = {"type": "record", "name": "R", "fields": [{"name": "a", "type": "string", "default": "x" * 900_000}]}
    writer = {"type": "record", "name": "R", "fields": []}
    for subject, schema, number in (("r", reader, 2), ("w", writer, 3)):
        assert register(port, subject, json.dumps(schema))[1] == {"id": number}
    server.sql("CREATE STREAM r WITH (schema = 'r')")
    value = b"\0\0\0\0\3"
    assert send(server, "r", value, VALUE)["accepted"] == 1
    assert refused(server, "r", container([value] * 5000))[1]["code"] == "MR-ING-0012"
    items = {"type": "array", "items": {**reader, "fields": [{"name": "a", "type": "string", "default": "x" * 1000}]}}
    for subject, schema, number in (("items", items, 4), ("empties", {"type": "array", "items": writer}, 5)):
        assert register(port, subject, json.dumps(schema))[1] == {"id": number}
    server.sql("CREATE STREAM items (a TEXT) WITH (schema = 'items')")
    value = b"\0\0\0\0\5\x80\x89\x7a\0"  # a million of them
    assert refused(server, "items", container([value] * 200))[1]["code"] == "MR-ING-0012"
    assert rejected(server, "items", value) == "MR-AVRO-0012"
    assert len(server.events("p")) == 1000


def wrong(test):
    server, port = started(test)
    schema = json.dumps({"type": "record", "name": "R", "fields": [{"name": "id", "type": "long"}]})
    assert register(port, "r", schema)[1] == {"id": 1}
    assert register(port, "j", "{}", schemaType="JSON")[1] == {"id": 2}
    assert register(port, "other", json.dumps({"type": "record", "name": "Q", "fields": [{"name": "q", "type": "string"}]}))[1] == {"id": 3}
    server.sql("CREATE STREAM r WITH (schema = 'r'); CREATE STREAM plain (id BIGINT)")
    good = b"\0\0\0\0\x01\x02"
    for value, code in ((b"", None), (b"\0", "MR-FRAME-0002"), (b"\0\0\0\0", "MR-FRAME-0002"), (b"\x02" + good, "MR-FRAME-0001"),
                        (b"\1" + bytes(15), "MR-FRAME-0002"), (b"\1" + bytes(16) + b"\x02", "MR-SCH-0009"), (b"\0\0\0\0\0\x02", "MR-SCH-0009"),
                        (b"\0\xff\xff\xff\xff\x02", "MR-SCH-0009"), (b"\0\0\0\0\x02{}", "MR-SCH-0011"), (b"\0\0\0\0\x03\x02a", "MR-AVRO-0013"),
                        (b"\0\0\0\0\x01", "MR-AVRO-0011"), (good + b"\0", "MR-AVRO-0011"), (b"\0\0\0\0\x01" + b"\xff" * 11, "MR-AVRO-0011")):
        if code is None:
            assert refused(server, "r", value, VALUE)[1]["code"] == "MR-API-0012"
        else:
            assert rejected(server, "r", value) == code, (value, code)
    assert refused(server, "plain", good, VALUE)[1]["code"] == "MR-SCH-0010"
    assert refused(server, "nobody", good, VALUE)[0] == 404
    assert refused(server, "r", b"\0\0\0\x09" + good)[1]["code"] == "MR-EVT-0010"
    assert refused(server, "r", container(b"\0" + struct.pack(">I", n) for n in range(10, 31)))[1]["code"] == "MR-ING-0011"
    # By its GUID, and with a key: once.
    guid = call(port, "GET", "/schemas/ids/1", headers={"Confluent-Accept-Unknown-Properties": "true"})[1]["guid"]
    by_guid = b"\1" + uuid.UUID(guid).bytes + b"\x04"
    assert send(server, "r", container([by_guid, good]), **{"Idempotency-Key": "k"})["accepted"] == 2
    body, headers = server.call("POST", "/v1/streams/r/events", container([by_guid, good]), {**VALUES, "Idempotency-Key": "k"})
    assert headers["Idempotency-Replayed"] == "true", body
    assert server.events("r") == [{"id": 2}, {"id": 1}]
    # An id is one of the context of the stream's subject.
    assert register(port, ":.shop:r", schema.replace('"long"', '"string"'))[1] == {"id": 1}
    server.sql("CREATE STREAM shop WITH (schema = ':.shop:r')")
    assert send(server, "shop", b"\0\0\0\0\x01\x02a", VALUE)["accepted"] == 1
    assert server.events("shop") == [{"id": "a"}] and rejected(server, "shop", b"\0\0\0\0\x03\x02a") == "MR-SCH-0009"
    # Many at once, whose schemas nobody has asked for yet: none is lost, none is refused.
    for n in range(40):
        assert register(port, f"m{n}", json.dumps({"type": "record", "name": "R", "doc": str(n), "fields": [
            {"name": "id", "type": "long"}]}))[1] == {"id": 4 + n}
    answers = []
    threads = [threading.Thread(target=lambda n=n: answers.append(send(server, "r", b"\0" + struct.pack(">I", 4 + n) + b"\x06", VALUE)))
               for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer["accepted"] for answer in answers] == [1] * 40, answers
    without = test.server("without").start()
    without.sql("CREATE STREAM plain (id BIGINT)")
    assert refused(without, "plain", good, VALUE)[1]["code"] == "MR-SCH-0010"


def of_tenants(test):
    """A value's id is one of the sender's own tenant."""
    from schema_registry_test import bearer
    data = os.path.join(test.root, "tenants")
    tokens = {}
    for tenant in ("a", "b"):
        made = test.cli("tokens", "create", "--data", data, "--tenant", tenant, "--scope", "admin", "--scope", "ingest")
        assert made.returncode == 0, made
        tokens[tenant] = bearer(next(w for w in made.stdout.split() if w.startswith("mrt_")))
    server = test.server("tenants", options=["--schema-registry", "127.0.0.1:0"]).start()
    port = port_of(server.directory)
    schema = {"a": '{"type": "record", "name": "R", "fields": [{"name": "id", "type": "long"}]}',
              "b": '{"type": "record", "name": "R", "fields": [{"name": "id", "type": "string"}]}'}
    for tenant, token in tokens.items():
        assert call(port, "POST", "/subjects/r/versions", {"schema": schema[tenant]}, token) == (200, {"id": 1})
        server.call("POST", "/v1/sql", b"CREATE STREAM r WITH (schema = 'r')", {"Content-Type": "application/sql", **token})
    value = b"\0\0\0\0\1\x02a"
    assert send(server, "r", value, {**VALUE, **tokens["b"]})["accepted"] == 1
    status, answer = refused(server, "r", value, {**VALUE, **tokens["a"]})
    assert status == 400 and answer["rejected"][0]["code"] == "MR-AVRO-0011", answer


def the_page(test):
    """The program of docs/api/http.md."""
    with open(os.path.join(ROOT, "docs", "api", "http.md"), encoding="utf-8") as f:
        program = f.read().split("### Values of serializers", 1)[1].split("```python\n", 1)[1].split("```", 1)[0]
    server, port = started(test)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "MILLRACE": server.url, "REGISTRY": f"http://127.0.0.1:{port}",
                               "PYTHONPATH": os.path.join(ROOT, "build", "python")})
    assert done.returncode == 0 and '"accepted":2' in done.stdout, done
    assert server.events("readings") == [{"sensor": "a", "value": 20.5}, {"sensor": "a", "value": 7.0}]


if __name__ == "__main__":
    main([the_page, avro, json_schema, protobuf, much_of_few_bytes, wrong, of_tenants])
