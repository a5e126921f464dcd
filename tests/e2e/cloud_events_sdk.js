// CloudEvents with their JavaScript SDK: sent in every mode, read again, compared. Arguments: the server's address, a stream.
const assert = require("node:assert");
const { CloudEvent, HTTP } = require("cloudevents");

const [url, stream] = process.argv.slice(2);
const target = `${url}/v1/streams/${stream}/events`;
const batch = "application/cloudevents-batch+json";

const json = "application/json";  // if it is not said, the SDK adds a charset of its own
const plain = { type: "order.placed", source: "https://shop/1?a=b", time: "2026-01-01T10:00:00.000Z" };
const events = [
  new CloudEvent({ ...plain, id: "json", datacontenttype: json, subject: "100 apples", traceid: "ab", data: { amount: 5, to: { city: "Zürich" } } }),
  new CloudEvent({ ...plain, id: "list", datacontenttype: json, data: [1, "two", null] }),
  new CloudEvent({ ...plain, id: "text", datacontenttype: "text/plain", data: "a\nb" }),
  new CloudEvent({ ...plain, id: "none", datacontenttype: json }),
];

async function send({ headers, body }) {
  const answer = await fetch(target, { method: "POST", headers, body: body ?? "" });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return JSON.parse(text).accepted;
}

// All that is there, through the SDK.
async function stored() {
  const answer = await fetch(target, { headers: { Accept: batch } });
  return HTTP.toEvent({ headers: Object.fromEntries(answer.headers), body: await answer.text() });
}

function same(got, sent) {
  for (const [name, value] of Object.entries(sent.toJSON())) assert.deepEqual(got[name], value, `${name} of ${sent.id}`);
}

async function main() {
  for (const mode of ["binary", "structured"])
    for (const event of events) assert.equal(await send(HTTP[mode](event)), 1, `${mode} ${event.id}`);
  const body = JSON.stringify(events);
  assert.equal(await send({ headers: { "content-type": batch }, body }), events.length);
  const got = await stored();
  assert.equal(got.length, 3 * events.length);
  got.forEach((event, n) => same(event, events[n % events.length]));
  const one = await fetch(target, { headers: { Accept: "application/cloudevents+json" } });
  same(HTTP.toEvent({ headers: Object.fromEntries(one.headers), body: await one.text() }), events[0]);
}

main().catch((failure) => {
  console.error(failure);
  process.exit(1);
});
