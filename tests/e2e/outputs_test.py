#!/usr/bin/env python3
"""Rows of views and derived streams as Avro and Protobuf: registered when they are made, handed out over WebSocket and HTTP,
and read by clients that are not ours: fastavro and Confluent's deserializers."""
import base64
import datetime
import decimal
import io
import json
import os
import socket
import struct
import sys
import urllib.request

from harness import ROOT, main

sys.path.insert(0, os.path.join(ROOT, "build", "python"))

import fastavro  # noqa: E402
from confluent_kafka.schema_registry import SchemaRegistryClient  # noqa: E402
from confluent_kafka.schema_registry.avro import AvroDeserializer  # noqa: E402
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer  # noqa: E402
from confluent_kafka.serialization import MessageField, SerializationContext  # noqa: E402
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2  # noqa: E402,F401
from google.type import date_pb2, timeofday_pb2  # noqa: E402,F401

UTC = datetime.timezone.utc


class WebSocket:
    """As little of RFC 6455 as a client needs."""

    def __init__(self, server):
        self.connection = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        key = base64.b64encode(os.urandom(16)).decode()
        self.connection.sendall((f"GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                 f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        self.input = self.connection.makefile("rb")
        assert self.input.readline().startswith(b"HTTP/1.1 101"), "no handshake"
        while self.input.readline() != b"\r\n":
            pass

    def say(self, **command):
        payload = json.dumps(command).encode()
        assert len(payload) < 65536
        head = bytes([0x81, 0x80 | len(payload)]) if len(payload) < 126 else bytes([0x81, 0x80 | 126]) + struct.pack(">H", len(payload))
        self.connection.sendall(head + b"\0\0\0\0" + payload)

    def hear(self):
        """The next message: an object, or bytes."""
        first, size = self.input.read(2)
        size = struct.unpack(">H", self.input.read(2))[0] if size == 126 else size
        size = struct.unpack(">Q", self.input.read(8))[0] if size == 127 else size
        payload = self.input.read(size)
        assert first in (0x81, 0x82), (first, payload)
        return json.loads(payload) if first == 0x81 else payload

    def ask(self, **command):
        self.say(**command)
        return self.hear()

    def rows(self, count):
        """(op, value) of so many rows, and the cursor behind them."""
        out, cursor = [], None
        while len(out) < count:
            head = self.hear()
            ops = head.get("ops", [None] * head["rows"])
            out += [(op, self.hear()) for op in ops]
            cursor = head.get("cursor")
        return out, cursor

    def close(self):
        self.connection.close()


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


TYPES = """CREATE STREAM t (id BIGINT, a BOOLEAN, b SMALLINT, e REAL, f DOUBLE PRECISION, g TEXT, h TIMESTAMPTZ, i TIMESTAMP,
    j DATE, k TIME, l INTERVAL, m BYTEA, n UUID, o JSONB, p NUMERIC, q BIGINT[], r ROW<city TEXT, geo ROW<lat DOUBLE PRECISION>>,
    s ROW<sku TEXT>[])"""
ROWS = [{"id": 1, "a": True, "b": -7, "e": 0.5, "f": 1e300, "g": "é", "h": "2024-02-29T12:00:00.5Z", "i": "2024-02-29T12:00:00",
         "j": "2024-02-29", "k": "01:02:03", "l": "1 mon 2 days", "m": "\\x00ff", "n": "89791762-2336-4186-9674-299b90a802e2",
         "o": {"b": [1, None]}, "p": "-12.50", "q": [1, -1, 9223372036854775807], "r": {"city": "Graz", "geo": {"lat": 47.5}},
         "s": [{"sku": "x"}, {}]},
        {"id": 2}]
AVRO_ROW = {"id": 1, "a": True, "b": -7, "e": 0.5, "f": 1e300, "g": "é", "h": datetime.datetime(2024, 2, 29, 12, 0, 0, 500000, UTC),
            "i": datetime.datetime(2024, 2, 29, 12), "j": datetime.date(2024, 2, 29), "k": datetime.time(1, 2, 3),
            "l": "1 mon 2 days", "m": b"\x00\xff", "o": '{"b": [1, null]}', "p": "-12.5", "q": [1, -1, 2 ** 63 - 1],
            "r": {"city": "Graz", "geo": {"lat": 47.5}}, "s": [{"sku": "x"}, {"sku": None}]}


def check_avro(row):
    row = dict(row)
    assert str(row.pop("n")) == "89791762-2336-4186-9674-299b90a802e2"
    assert row == AVRO_ROW, row


def avro(test):
    server = started(test)
    server.sql(TYPES)
    server.sql("CREATE MATERIALIZED VIEW v WITH (schema = 'v-value', format = 'avro') AS SELECT * FROM t")
    assert "schema_version = 1, schema_id = 1" in definition(server, "v"), definition(server, "v")
    latest = registry(server, "/subjects/v-value/versions/latest")
    assert (latest["id"], latest["version"]) == (1, 1) and json.loads(latest["schema"])["name"] == "v", latest
    server.produce("t", ROWS)

    client = WebSocket(server)
    told = client.ask(subscribe="v", id=1, encoding="binary")
    assert told == {"subscribed": 1, "encoding": "avro", "schema": {"subject": "v-value", "version": 1, "id": 1}}, told
    rows, _ = client.rows(2)
    deserializer = AvroDeserializer(SchemaRegistryClient({"url": registry_url(server)}))
    values = [deserializer(value, SerializationContext("v", MessageField.VALUE)) for _, value in rows]
    values.sort(key=lambda row: row["id"])
    check_avro(values[0])
    assert values[1] == {**dict.fromkeys(values[1]), "id": 2}, values[1]
    client.close()


def groups(test):
    """Upserts and deletes of groups, resumed streams, over a restart."""
    server = started(test)
    server.sql("CREATE STREAM t (city TEXT, n BIGINT)")
    server.sql("CREATE MATERIALIZED VIEW v WITH (schema = 'v-value', format = 'avro') AS "
               "SELECT city, sum(n) AS total FROM t GROUP BY city HAVING sum(n) > 0")
    server.sql("CREATE STREAM d WITH (format = 'protobuf', schema = 'd-value') AS SELECT city, n FROM t WHERE n > 0")
    server.produce("t", [{"city": "a", "n": 1}, {"city": "b", "n": 2}])
    server.wait_running("d")
    server.stop()
    server.start()

    deserializer = AvroDeserializer(SchemaRegistryClient({"url": registry_url(server)}))
    client = WebSocket(server)
    client.ask(subscribe="v", id="v", encoding="binary")

    def heard(count):
        return [(op, deserializer(value, SerializationContext("v", MessageField.VALUE))) for op, value in client.rows(count)[0]]
    assert sorted(heard(2), key=str) == [("upsert", {"city": "a", "total": 1}), ("upsert", {"city": "b", "total": 2})]
    server.produce("t", [{"city": "a", "n": -1}])
    assert heard(1) == [("delete", {"city": "a", "total": None})]
    client.say(unsubscribe="v")
    assert client.hear() == {"unsubscribed": "v"}

    told = client.ask(subscribe="d", id="d", encoding="binary", **{"from": "start", "limit": 1})
    assert told["encoding"] == "protobuf" and told["schema"]["subject"] == "d-value", told
    first, cursor = client.rows(1)
    assert client.hear() == {"unsubscribed": "d", "cursor": cursor}
    assert first[0][0] is None and first[0][1][:6] == b"\0" + struct.pack(">I", told["schema"]["id"]) + b"\0", first
    told = client.ask(subscribe="d", id="d", encoding="binary", **{"from": cursor})
    second, _ = client.rows(1)
    assert [value[6:] for _, value in first + second] == [b"\n\x01a\x10\x01", b"\n\x01b\x10\x02"], (first, second)
    client.say(unsubscribe="d")
    client.hear()
    told = client.ask(subscribe="t", id="t", encoding="binary")
    assert told["error"]["code"] == "MR-API-0011", told
    told = client.ask(subscribe="v", id="t", encoding="xml")
    assert told["error"]["code"] == "MR-API-0011", told
    told = client.ask(subscribe="v", id="t", encoding="binary", numbers="string")
    assert told["error"]["code"] == "MR-API-0011", told
    client.close()

    # What is made needs no registry any more.
    server.stop()
    server.options = []
    server.start()
    client = WebSocket(server)
    told = client.ask(subscribe="v", id="v", encoding="binary")
    assert told["schema"]["subject"] == "v-value", told
    assert client.rows(1)[0][0][0] == "upsert"
    client.close()


def protobuf_class(text):
    """The generated class of the message, by the wire form of the registry's own file."""
    file = descriptor_pb2.FileDescriptorProto.FromString(base64.b64decode(text))
    file.name = "v.proto"
    pool = descriptor_pool.Default()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("V"))


def protobuf(test):
    server = started(test)
    server.sql(TYPES)
    server.sql("CREATE MATERIALIZED VIEW v WITH (schema = 'v-value', format = 'protobuf') AS SELECT * FROM t")
    server.produce("t", ROWS)
    client = WebSocket(server)
    told = client.ask(subscribe="v", id=1, encoding="binary")
    assert told["encoding"] == "protobuf", told
    message = protobuf_class(registry(server, "/schemas/ids/1?format=serialized")["schema"])
    deserializer = ProtobufDeserializer(message, {"use.deprecated.format": False},
                                        SchemaRegistryClient({"url": registry_url(server)}))
    rows, _ = client.rows(2)
    values = [deserializer(value, SerializationContext("v", MessageField.VALUE)) for _, value in rows]
    full, empty = sorted(values, key=lambda row: row.id)
    assert [field.name for field, _ in empty.ListFields()] == ["id"], empty
    assert (full.a, full.b, full.e, full.f, full.g, full.m) == (True, -7, 0.5, 1e300, "é", b"\x00\xff"), full
    assert full.h.ToDatetime() == datetime.datetime(2024, 2, 29, 12, 0, 0, 500000), full
    assert full.i.ToDatetime() == datetime.datetime(2024, 2, 29, 12), full
    assert (full.j.year, full.j.month, full.j.day) == (2024, 2, 29) and full.k.hours == 1, full
    assert (full.l, full.o, full.p) == ("1 mon 2 days", '{"b": [1, null]}', "-12.5"), full
    assert list(full.q) == [1, -1, 2 ** 63 - 1] and full.r.geo.lat == 47.5, full
    assert [item.HasField("sku") for item in full.s] == [True, False], full

    # A NULL in an array has no form: the rows before it come, then the word that it ends.
    server.produce("t", [{"id": 3, "q": [1, None]}])
    ended = client.hear()
    assert ended["unsubscribed"] == 1 and ended["error"]["code"] == "MR-PROTO-0014", ended
    client.close()


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
    assert problem["code"] == "MR-SCH-0012" and problem["status"] == 409 and "incompatible" in problem["message"], problem
    assert len(server.sql("SHOW VIEWS")) == 2
    problem = refused(server, "CREATE MATERIALIZED VIEW w WITH (schema = 'v-value', format = 'avro', schema_id = 77) AS SELECT a FROM t")
    assert problem["code"] == "MR-SCH-0012", problem
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


def file_of(server, text, **headers):
    body, head = server.call("POST", "/v1/sql", text.encode(),
                             {"Content-Type": "application/sql", "Accept": "application/vnd.apache.avro", **headers})
    assert head["Content-Type"] == "application/vnd.apache.avro", head
    return fastavro.reader(io.BytesIO(body))


def files(test):
    server = test.server().start()
    server.sql(TYPES)
    server.produce("t", ROWS)
    rows = sorted(file_of(server, "SELECT * FROM t"), key=lambda row: row["id"])
    check_avro(rows[0])
    server.produce("t", [{"id": i, "g": "x" * 50} for i in range(10, 20010)])
    large = list(file_of(server, "SELECT id, g, count(*) AS n FROM t WHERE id >= 10 GROUP BY id, g ORDER BY id"))
    assert [row["id"] for row in large] == list(range(10, 20010))
    assert not list(file_of(server, "SELECT id FROM t WHERE id < 0")), "no rows are a file, too"
    price = next(file_of(server, "SELECT p, p AS \"p p\" FROM t WHERE id = 1"))
    assert decimal.Decimal(price["p"]) == decimal.Decimal("-12.5") and "p_p" in price, price
    for text in ("SELECT 1; SELECT 2", "SUBSCRIBE TO t", "CREATE STREAM x (a TEXT)"):
        problem = server.refusal("POST", "/v1/sql", text.encode(),
                                 {"Content-Type": "application/sql", "Accept": "application/vnd.apache.avro"}).problem
        assert problem["code"] == "MR-API-0047", problem
    assert not [row for row in server.sql("SHOW STREAMS") if row["name"] == "x"], "what is refused did nothing"


if __name__ == "__main__":
    main([avro, groups, protobuf, registered, files])
