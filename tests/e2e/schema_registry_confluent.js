// Confluent's client for Node with its serializers, both ends, in three formats. Arguments: the registry's address, a token.
const assert = require("node:assert/strict");
const { create, createFileRegistry, createMutableRegistry, fromBinary } = require("@bufbuild/protobuf");
const { FileDescriptorProtoSchema, FieldDescriptorProto_Label, FieldDescriptorProto_Type } = require("@bufbuild/protobuf/wkt");
const confluent = require("@confluentinc/schemaregistry");

const { SchemaRegistryClient, SerdeType, SerializationError } = confluent;
const [url, token] = process.argv.slice(2);

// One that has cached nothing of what others have asked.
function connect() {
  return new SchemaRegistryClient({
    baseURLs: [url], basicAuthCredentials: { credentialsSource: "USER_INFO", userInfo: `any:${token}` } });
}

async function refused(promise, status, errorCode) {
  await assert.rejects(promise, (error) => {
    assert.deepEqual([error.status, error.errorCode], [status, errorCode], error.message);
    return true;
  });
}

// The id that the bytes begin with.
const idOf = (bytes) => bytes.readUInt32BE(1);

const field = (name, number, type) => ({ name, number, type, label: FieldDescriptorProto_Label.OPTIONAL, jsonName: name });
const string = FieldDescriptorProto_Type.STRING;

// shop.Order of a file, and what it imports.
function messageOf(fields, imports = []) {
  const proto = create(FileDescriptorProtoSchema, {
    name: "order.proto", package: "shop", syntax: "proto3", dependency: imports.map((one) => one.proto.name),
    messageType: [{ name: "Order", field: fields }] });
  return createFileRegistry(proto, (name) => imports.find((one) => one.proto.name === name)?.proto).getMessage("shop.Order");
}

const order = messageOf([field("id", 1, string)]);
const noted = messageOf([field("id", 1, string), field("note", 2, string)]);

const json = (properties, required) => JSON.stringify({
  $schema: "http://json-schema.org/draft-07/schema#", title: "Order", type: "object", properties, required,
  additionalProperties: false });
const record = (...fields) => JSON.stringify({ type: "record", name: "Order", fields });
const note = { name: "note", type: "string", default: "none" };

// Of each format: two versions, one that may not follow, one that is none, the first in another layout, two of which the normal
// form alone, which is the first of them, is the same; an event of each version, and what a reader with the first (old) and with the second (next) make of them.
const formats = {
  AVRO: {
    Serializer: confluent.AvroSerializer, Deserializer: confluent.AvroDeserializer,
    schemas: [record({ name: "id", type: "string" }), record({ name: "id", type: "string" }, note)],
    bad: record({ name: "id", type: "string" }, { name: "other", type: "string" }),
    layout: `{"type": "record",  "name": "Order", "fields": [{"name": "id", "type": "string"}]}`,
    order: ['{"type": "enum", "name": "E", "symbols": ["A"], "x": 1, "y": 2}', '{"y": 2, "x": 1, "type": "enum", "name": "E", "symbols": ["A"]}'],
    none: `{"type": "record"}`,
    events: [{ id: "7" }, { id: "8", note: "x" }],
    old: [{ id: "7" }, { id: "8" }], next: [{ id: "7", note: "none" }, { id: "8", note: "x" }],
    wrong: { id: 7 },
    plain: (event) => ({ ...event }),
  },
  JSON: {
    Serializer: confluent.JsonSerializer, Deserializer: confluent.JsonDeserializer, options: { validate: true },
    schemas: [json({ id: { type: "string" } }, ["id"]), json({ id: { type: "string" }, note: { type: "string" } }, ["id"])],
    bad: json({ id: { type: "integer" } }, ["id"]),
    layout: json({ id: { type: "string" } }, ["id"]).replaceAll(",", " ,  "),
    order: ['{"title": "Order", "type": "object"}', '{"type": "object", "title": "Order"}'],
    none: `{"type": "thing"}`,
    events: [{ id: "7" }, { id: "8", note: "x" }],
    old: [{ id: "7" }, { id: "8", note: "x" }], next: [{ id: "7" }, { id: "8", note: "x" }],
    wrong: { id: 7 },
    plain: (event) => event,
  },
  PROTOBUF: {
    Serializer: confluent.ProtobufSerializer, Deserializer: confluent.ProtobufDeserializer,
    writers: [{ registry: createMutableRegistry(order) }, { registry: createMutableRegistry(noted) }],
    schemas: [`syntax = "proto3"; package shop; message Order { string id = 1; }`,
      `syntax = "proto3"; package shop; message Order { string id = 1; string note = 2; }`],
    bad: `syntax = "proto3"; package shop; message Order { int64 id = 1; }`,
    layout: `syntax = "proto3";\n\npackage shop;\nmessage Order {\n\n  string id = 1; // a comment\n}`,
    order: [`syntax = "proto3"; message M { int32 a = 1; int32 b = 2; }`, `syntax = "proto3"; message M { int32 b = 2; int32 a = 1; }`],
    none: `syntax = "proto3"; message {`,
    events: [create(order, { id: "7" }), create(noted, { id: "8", note: "x" })],
    // What a message is read with is its writer's.
    old: [{ id: "7" }, { id: "8", note: "x" }], next: [{ id: "7" }, { id: "8", note: "x" }],
    wrong: { id: "7" },
    plain: ({ $typeName, $unknown, ...event }) => {
      assert.equal($typeName, "shop.Order");
      return event;
    },
  },
};

// Versions by their metadata: what useLatestWithMetadata finds.
const release = (number) => ({ properties: { release: String(number) } });

async function evolves(schemaType, format) {
  const client = connect();
  const topic = `evolves-${schemaType}`, subject = `${topic}-value`;
  const serializer = (conf) => new format.Serializer(connect(), SerdeType.VALUE, { ...format.options, ...conf });
  const reader = (conf) => new format.Deserializer(connect(), SerdeType.VALUE, { ...format.options, ...conf });
  const first = await client.register(subject, { schemaType, schema: format.schemas[0], metadata: release(1) });
  const written = [await serializer({ useLatestVersion: true, ...format.writers?.[0] }).serialize(topic, format.events[0])];
  const second = await client.register(subject, { schemaType, schema: format.schemas[1], metadata: release(2) });
  written.push(await serializer({ useLatestVersion: true, ...format.writers?.[1] }).serialize(topic, format.events[1]));
  assert.deepEqual(written.map(idOf), [first, second]);
  for (const [conf, expected] of [
    [{}, format.events.map(format.plain)], [{ useLatestWithMetadata: { release: "1" } }, format.old],
    [{ useLatestWithMetadata: { release: "2" } }, format.next], [{ useLatestVersion: true }, format.next]]) {
    for (const [i, bytes] of written.entries())
      assert.deepEqual(format.plain(await reader(conf).deserialize(topic, bytes)), expected[i], `${schemaType} ${i} ${JSON.stringify(conf)}`);
  }
  if (schemaType === "PROTOBUF") {  // with types of the consumer's own, behind the id and the message's index
    assert.deepEqual(format.plain(fromBinary(order, written[1].subarray(6))), { id: "8" });
    assert.deepEqual(format.plain(fromBinary(noted, written[0].subarray(6))), { id: "7", note: "" });
  }
  // Other ways to say which schema is meant.
  for (const conf of [{ useSchemaId: first }, { useLatestWithMetadata: { release: "1" } }]) {
    const bytes = await serializer({ ...conf, ...format.writers?.[0] }).serialize(topic, format.events[0]);
    assert.equal(idOf(bytes), first, JSON.stringify(conf));
    assert.deepEqual(format.plain(await reader({}).deserialize(topic, bytes)), format.plain(format.events[0]));
  }
  // The GUID in a header, and nothing before the message.
  const headers = {};
  const bare = await serializer({ useLatestVersion: true, schemaIdSerializer: confluent.HeaderSchemaIdSerializer, ...format.writers?.[1] })
    .serialize(topic, format.events[1], headers);
  assert.equal(headers[confluent.VALUE_SCHEMA_ID_HEADER][0], 1);
  assert.deepEqual(format.plain(await reader({}).deserialize(topic, bare, headers)), format.plain(format.events[1]));
}

// Registered by whoever writes, and what the serializer makes of a value that it has no schema for.
async function registersWhatItWrites(schemaType, format) {
  const topic = `derived-${schemaType}`;
  const ids = [];
  for (const normalizeSchemas of [false, true, true]) {
    const conf = { autoRegisterSchemas: true, normalizeSchemas, ...format.writers?.[0] };
    const bytes = await new format.Serializer(connect(), SerdeType.VALUE, conf).serialize(topic, format.events[0]);
    ids.push(idOf(bytes));
    const read = await new format.Deserializer(connect(), SerdeType.VALUE, {}).deserialize(topic, bytes);
    assert.deepEqual(format.plain(read), format.plain(format.events[0]));
    // Not registered again: looked up.
    const looked = { normalizeSchemas, ...format.writers?.[0] };
    assert.deepEqual(await new format.Serializer(connect(), SerdeType.VALUE, looked).serialize(topic, format.events[0]), bytes);
  }
  assert.equal(ids[1], ids[2]);
}

async function normalizes(schemaType, format) {
  const register = (subject, schema, normalize) => connect().register(subject, { schemaType, schema }, normalize);
  const layout = `layout-${schemaType}`, order = `order-${schemaType}`;
  assert.equal(await register(layout, format.layout, false), await register(layout, format.schemas[0], false));
  const [one, other] = format.order.map((schema) => ({ schemaType, schema }));
  const id = await register(order, one.schema, true);
  assert.equal(await register(order, other.schema, true), id);
  assert.equal(await connect().getId(order, other, true), id);
  assert.equal(await connect().getVersion(order, other, true), 1);
  await refused(connect().getId(order, other, false), 404, 40403);
  assert.notEqual(await register(order, other.schema, false), id);
}

async function refuses(schemaType, format) {
  const client = connect();
  const topic = `refuses-${schemaType}`, subject = `${topic}-value`;
  const info = (schema) => ({ schemaType, schema });
  const serializer = (conf) => new format.Serializer(connect(), SerdeType.VALUE, { ...format.options, ...format.writers?.[1], ...conf });
  // Nobody has registered it.
  await refused(serializer({}).serialize(topic, format.events[1]), 404, 40401);
  await refused(serializer({ useLatestVersion: true }).serialize(topic, format.events[1]), 404, 40401);
  const id = await client.register(subject, info(format.schemas[1]));
  await refused(serializer({ useLatestWithMetadata: { release: "9" } }).serialize(topic, format.events[1]), 404, 40403);
  await refused(serializer({ useSchemaId: 999999 }).serialize(topic, format.events[1]), 404, 40403);
  await assert.rejects(serializer({ useLatestVersion: true }).serialize(topic, format.wrong), SerializationError);
  await refused(client.register(subject, info(format.bad)), 409, 40901);
  await refused(client.register(subject, info(format.none)), 422, 42201);
  for (const [schema, fits] of [[format.schemas[1], true], [format.bad, false]]) {
    assert.equal(await client.testSubjectCompatibility(subject, info(schema)), fits);
    assert.equal(await client.testCompatibility(subject, 1, info(schema)), fits);
  }
  // Bytes that name no schema, or none that is there.
  const bytes = await serializer({ useLatestVersion: true }).serialize(topic, format.events[1]);
  const reader = new format.Deserializer(connect(), SerdeType.VALUE, {});
  const unknown = Buffer.from(bytes);
  unknown.writeUInt32BE(999999, 1);
  await refused(reader.deserialize(topic, unknown), 404, 40403);
  await assert.rejects(reader.deserialize(topic, Buffer.from("no schema")), SerializationError);
  // Deleted softly: what was written with it is read.
  await client.deleteSubject(subject);
  assert.deepEqual(format.plain(await reader.deserialize(topic, bytes)), format.plain(format.events[1]));
  await client.deleteSubject(subject, true);
  await refused(connect().getBySubjectAndId(subject, id), 404, 40403);
}

async function refersToOthers() {
  const client = connect();
  const reference = (name, subject) => [{ name, subject, version: 1 }];
  const both = async (Serializer, Deserializer, topic, event, conf = {}) => {
    const bytes = await new Serializer(connect(), SerdeType.VALUE, { useLatestVersion: true, ...conf }).serialize(topic, event);
    return new Deserializer(connect(), SerdeType.VALUE, {}).deserialize(topic, bytes);
  };
  const line = { order: { id: "7" } };
  await client.register("order-avro", { schemaType: "AVRO", schema: formats.AVRO.schemas[0] });
  await client.register("line-avro-value", {
    schemaType: "AVRO", references: reference("Order", "order-avro"),
    schema: JSON.stringify({ type: "record", name: "Line", fields: [{ name: "order", type: "Order" }] }) });
  const read = await both(confluent.AvroSerializer, confluent.AvroDeserializer, "line-avro", line);
  assert.deepEqual({ order: { ...read.order } }, line);
  await client.register("order-json", { schemaType: "JSON", schema: formats.JSON.schemas[0] });
  await client.register("line-json-value", {
    schemaType: "JSON", references: reference("order.json", "order-json"),
    schema: JSON.stringify({ type: "object", properties: { order: { $ref: "order.json" } } }) });
  const validate = { validate: true };
  assert.deepEqual(await both(confluent.JsonSerializer, confluent.JsonDeserializer, "line-json", line, validate), line);
  await assert.rejects(both(confluent.JsonSerializer, confluent.JsonDeserializer, "line-json", { order: { id: 7 } }, validate), SerializationError);
  // The serializer registers the file that is imported, too.
  const customer = createFileRegistry(create(FileDescriptorProtoSchema, {
    name: "customer.proto", package: "shop", syntax: "proto3", messageType: [{ name: "Customer", field: [field("name", 1, string)] }],
  }), () => undefined).getFile("customer.proto");
  const by = { ...field("by", 1, FieldDescriptorProto_Type.MESSAGE), typeName: ".shop.Customer" };
  const bought = messageOf([by], [customer]);
  const event = create(bought, { by: { name: "Ana" } });
  const conf = { autoRegisterSchemas: true, useLatestVersion: false, registry: createMutableRegistry(bought) };
  const message = await both(confluent.ProtobufSerializer, confluent.ProtobufDeserializer, "bought", event, conf);
  assert.equal(message.by.name, "Ana");
  const { references } = await client.getLatestSchemaMetadata("bought-value");
  assert.deepEqual(references, [{ name: "customer.proto", subject: "customer.proto", version: 1 }]);
}

// They are kept by the registry and run by the client.
async function rulesRun() {
  confluent.CelExecutor.register();
  const ruleSet = { domainRules: [{ name: "noted", kind: "CONDITION", mode: "WRITE", type: "CEL", expr: "message.note != ''", onFailure: "ERROR" }] };
  await connect().register("rules-value", { schemaType: "AVRO", schema: formats.AVRO.schemas[1], ruleSet });
  const serializer = new confluent.AvroSerializer(connect(), SerdeType.VALUE, { useLatestVersion: true });
  await serializer.serialize("rules", { id: "1", note: "x" });
  await assert.rejects(serializer.serialize("rules", { id: "1", note: "" }), /noted/);
}

async function answersEveryCall() {
  const client = connect();
  const schema = (text) => ({ schemaType: "AVRO", schema: text });
  const [first, second] = formats.AVRO.schemas;
  const made = await client.registerFullResponse("calls", { ...schema(first), metadata: release(1) });
  await client.register("calls", { ...schema(second), metadata: release(2) });
  const byGuid = await connect().getByGuid(made.guid);
  assert.deepEqual(JSON.parse(byGuid.schema), JSON.parse(first));
  assert.equal((await connect().getIdFullResponse("calls", schema(first))).guid, made.guid);
  assert.deepEqual(JSON.parse((await connect().getBySubjectAndId("calls", made.id)).schema), JSON.parse(first));
  const latest = await client.getLatestSchemaMetadata("calls");
  assert.deepEqual([latest.subject, latest.version, latest.metadata], ["calls", 2, release(2)]);
  assert.equal((await client.getSchemaMetadata("calls", 1)).id, made.id);
  assert.equal((await client.getLatestWithMetadata("calls", { release: "1" })).version, 1);
  assert.deepEqual(await client.getAllVersions("calls"), [1, 2]);
  assert.ok((await client.getAllSubjects()).includes("calls"));
  assert.equal(await client.getDefaultCompatibility(), "BACKWARD");
  assert.equal(await client.updateDefaultCompatibility("FULL"), "FULL");
  assert.equal((await client.getDefaultConfig()).compatibilityLevel, "FULL");
  assert.equal((await client.updateDefaultConfig({ compatibility: "BACKWARD" })).compatibility, "BACKWARD");
  await refused(client.getCompatibility("calls"), 404, 40408);
  assert.equal(await client.updateCompatibility("calls", "FORWARD"), "FORWARD");
  assert.equal(await client.getCompatibility("calls"), "FORWARD");
  await refused(client.updateCompatibility("calls", "SIDEWAYS"), 422, 42203);
  const config = { compatibility: "NONE", normalize: true, defaultMetadata: release(0) };
  assert.deepEqual(await client.updateConfig("calls", config), config);
  assert.deepEqual(await client.getConfig("calls"), { compatibilityLevel: "NONE", normalize: true, defaultMetadata: release(0) });
  await refused(client.getLatestSchemaMetadata("none"), 404, 40401);
  await refused(client.getSchemaMetadata("calls", 9), 404, 40402);
  await refused(client.getByGuid("00000000-0000-8000-8000-000000000000"), 404, 40403);
  await refused(client.deleteSubject("calls", true), 404, 40405);
  await refused(client.deleteSubjectVersion("calls", 1, true), 404, 40407);
  assert.equal(await client.deleteSubjectVersion("calls", 1), 1);
  await refused(client.deleteSubjectVersion("calls", 1), 404, 40406);
  assert.equal((await connect().getSchemaMetadata("calls", 1, true)).id, made.id);
  assert.equal(await client.deleteSubjectVersion("calls", 1, true), 1);
  assert.deepEqual(await client.deleteSubject("calls"), [2]);
  await refused(client.deleteSubject("calls"), 404, 40404);
  assert.deepEqual(await client.deleteSubject("calls", true), [2]);
  // There are no associations: serializers take the topic's name.
  await refused(client.createAssociation({ resourceName: "t" }), 404, 404);
  const stranger = new SchemaRegistryClient({ baseURLs: [url] });
  await refused(stranger.getAllSubjects(), 401, 401);
}

(async () => {
  for (const [schemaType, format] of Object.entries(formats)) {
    await evolves(schemaType, format);
    await registersWhatItWrites(schemaType, format);
    await normalizes(schemaType, format);
    await refuses(schemaType, format);
  }
  await refersToOthers();
  await rulesRun();
  await answersEveryCall();
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
