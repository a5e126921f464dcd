// KafkaJS's client of a registry, both ends, in three formats. Arguments: the registry's address.
const assert = require("node:assert/strict");
const { SchemaRegistry, SchemaType, COMPATIBILITY } = require("@kafkajs/confluent-schema-registry");

const [host] = process.argv.slice(2);
const connect = (options) => new SchemaRegistry({ host }, options);  // one that has cached nothing

const record = (...fields) => JSON.stringify({ type: "record", name: "Order", namespace: "shop", fields });
const id = { name: "id", type: "long" };
const json = (properties) => JSON.stringify({
  $schema: "http://json-schema.org/draft-07/schema#", type: "object", properties, required: ["id"], additionalProperties: false });
const proto = (fields) => `syntax = "proto3"; package shop; message Order { ${fields} }`;

// Of each format: two versions, one that may not follow, one that is none; an event of each version, and one that does not fit.
const formats = {
  [SchemaType.AVRO]: {
    schemas: [record(id), record(id, { name: "note", type: "string", default: "none" })],
    bad: record(id, { name: "other", type: "string" }), none: JSON.stringify({ type: "record" }),
    events: [{ id: 7 }, { id: 8, note: "x" }], wrong: { id: "7" },
  },
  [SchemaType.JSON]: {
    schemas: [json({ id: { type: "integer" } }), json({ id: { type: "integer" }, note: { type: "string" } })],
    bad: json({ id: { type: "string" } }), none: JSON.stringify({ type: "thing" }),
    events: [{ id: 7 }, { id: 8, note: "x" }], wrong: { id: "7" },
  },
  [SchemaType.PROTOBUF]: {
    schemas: [proto("string id = 1;"), proto("string id = 1; string note = 2;")],
    bad: proto("int64 id = 1;"), none: "message {",
    events: [{ id: "7" }, { id: "8", note: "x" }], wrong: { id: 7 },
  },
};

const plain = (event) => JSON.parse(JSON.stringify(event));

async function speaks(type, { schemas, bad, none, events, wrong }) {
  const subject = `node-${type}`;
  const registry = connect();
  const ids = [];
  for (const schema of schemas) {
    ids.push((await registry.register({ type, schema }, { subject })).id);
    assert.equal((await registry.register({ type, schema }, { subject })).id, ids.at(-1));
    assert.equal(await registry.getLatestSchemaId(subject), ids.at(-1));
    assert.equal(await registry.getRegistryIdBySchema(subject, { type, schema }), ids.at(-1));
    assert.equal(await registry.getRegistryId(subject, ids.length), ids.at(-1));
  }
  assert.notEqual(ids[0], ids[1]);
  for (const [i, event] of events.entries()) {
    const bytes = await connect().encode(ids[i], event);
    assert.equal(bytes.readUInt32BE(1), ids[i]);
    assert.deepEqual(plain(await connect().decode(bytes)), event);
    if (type !== SchemaType.AVRO) continue;
    // A reader with either version reads what either has written.
    for (const [version, expected] of [[0, [{ id: 7 }, { id: 8 }]], [1, [{ id: 7, note: "none" }, { id: 8, note: "x" }]]]) {
      const readerSchema = JSON.parse(schemas[version]);
      assert.deepEqual(plain(await connect().decode(bytes, { [type]: { readerSchema } })), expected[i]);
    }
  }
  await assert.rejects(connect().encode(ids[0], wrong), { name: "ConfluentSchemaRegistryValidationError" });
  await assert.rejects(registry.register({ type, schema: bad }, { subject }), { status: 409 });
  await assert.rejects(registry.register({ type, schema: none }, { subject }));
  await assert.rejects(registry.register({ type, schema: schemas[0] }, { subject, compatibility: COMPATIBILITY.FULL }),
    { name: "ConfluentSchemaRegistryCompatibilityError" });
  await assert.rejects(connect().getRegistryIdBySchema(subject, { type, schema: bad }), /Schema not found/);
  await assert.rejects(connect().getRegistryId(subject, 9), { status: 404 });
  await assert.rejects(connect().getLatestSchemaId(`no-${type}`), { status: 404 });
  await assert.rejects(connect().encode(999999, events[0]), { status: 404 });
}

// One that refers to the first version.
const referring = {
  [SchemaType.AVRO]: {
    name: "shop.Order", event: { order: { id: 7 } },
    schema: JSON.stringify({ type: "record", name: "Line", namespace: "shop", fields: [{ name: "order", type: "shop.Order" }] }),
  },
  [SchemaType.JSON]: {
    name: "https://shop.example/order.json", event: { order: { id: 7 } },
    schema: JSON.stringify({ $id: "https://shop.example/line.json", type: "object", properties: { order: { $ref: "order.json" } } }),
    referred: JSON.stringify({ $id: "https://shop.example/order.json", type: "object", properties: { id: { type: "integer" } } }),
  },
  [SchemaType.PROTOBUF]: {
    name: "order.proto", event: { order: { id: "7" } },
    schema: `syntax = "proto3"; package shop; import "order.proto"; message Line { Order order = 1; }`,
  },
};

async function refers(type, { name, schema, event, referred = formats[type].schemas[0] }) {
  const subject = `order-${type}`;
  await connect().register({ type, schema: referred }, { subject });
  const references = [{ name, subject, version: 1 }];
  const { id } = await connect().register({ type, schema, references }, { subject: `line-${type}` });
  assert.deepEqual(plain(await connect().decode(await connect().encode(id, event))), event);
}

(async () => {
  for (const [type, format] of Object.entries(formats)) await speaks(type, format);
  for (const [type, format] of Object.entries(referring)) await refers(type, format);
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
