#include "event-gateway/api_schemas.h"

namespace millrace::gateway {
namespace {

constexpr ApiSchema kSchemas[] = {
    {"Problem", R"({"type":"object","description":"RFC 9457. `code` is stable.",
"required":["type","title","status","code","message"],"properties":{
"type":{"type":"string"},"title":{"type":"string"},"status":{"type":"integer"},
"code":{"type":"string","pattern":"^MR-[A-Z]+-[0-9]{4}$"},"message":{"type":"string"},
"detail":{"type":"string"},"hint":{"type":"string"},
"span":{"type":"object","description":"A place in SQL.","properties":{"line":{"type":"integer"},
"column":{"type":"integer"},"offset":{"type":"integer"},"length":{"type":"integer"}}},
"errors":{"type":"array","items":{"type":"object"}},
"request_id":{"type":"string","description":"As in X-Request-Id."}}})"},
    {"Document", R"({"type":"object"})"},
    {"Event", R"({"type":"object","description":"Members that are no columns are kept and ignored."})"},
    {"Events", R"({"oneOf":[{"$ref":"#/components/schemas/Event"},
{"type":"array","items":{"$ref":"#/components/schemas/Event"}}]})"},
    {"CloudEvent", R"({"type":"object","description":"CloudEvents 1.0 in its JSON format.",
"required":["specversion","id","source","type"],"properties":{"specversion":{"const":"1.0"},
"id":{"type":"string","minLength":1},"source":{"type":"string","minLength":1},
"type":{"type":"string","minLength":1},"data":{}}})"},
    {"CloudEvents", R"({"type":"array","items":{"$ref":"#/components/schemas/CloudEvent"}})"},
    {"SqlRequest", R"({"type":"object","required":["sql"],"additionalProperties":false,"properties":{
"sql":{"type":"string","minLength":1},
"parameters":{"type":"array","description":"The values of $1, $2, …","items":{}}}})"},
    {"IngestAnswer", R"({"type":"object","required":["accepted","rejected","offsets","cursor","durability"],
"properties":{"accepted":{"type":"integer","minimum":0},
"rejected":{"type":"array","maxItems":100,"items":{"type":"object","required":["index","code","message"],
"properties":{"index":{"type":"integer","minimum":0},"code":{"type":"string"},"message":{"type":"string"}}}},
"rejected_more":{"type":"integer","minimum":1},"duplicates":{"type":"integer","minimum":1},
"dead_letters":{"type":"integer","minimum":1},
"offsets":{"type":"array","items":{"type":"object","required":["partition","first","count"],"properties":{
"partition":{"type":"integer"},"first":{"type":"integer"},"count":{"type":"integer"}}}},
"cursor":{"type":"string"},"durability":{"const":"disk"}}})"},
    {"Column", R"({"type":"object","required":["name","type","key","watermark"],"properties":{
"name":{"type":"string"},"type":{"type":"string"},"key":{"type":"boolean"},"watermark":{"type":"boolean"}}})"},
    {"Stream", R"({"type":"object",
"required":["name","kind","partitions","key","watermark","columns","definition"],"properties":{
"name":{"type":"string"},"kind":{"enum":["declared","derived","dead letters"]},
"partitions":{"type":"integer","minimum":1},"key":{"type":["string","null"]},
"watermark":{"type":["string","null"]},
"columns":{"type":"array","items":{"$ref":"#/components/schemas/Column"}},
"definition":{"type":["string","null"],"description":"Its CREATE statement; the dead letters have none."}}})"},
    {"View", R"({"type":"object","required":["name","source","definition","columns","state"],"properties":{
"name":{"type":"string"},"source":{"type":"string"},"definition":{"type":"string"},
"columns":{"type":"array","items":{"$ref":"#/components/schemas/Column"}},
"state":{"type":"string","description":"As its query says it."}}})"},
    {"Query", R"({"type":"object","required":["id","name","kind","source","definition","state","failure",
"lag_seconds","state_bytes","position"],"properties":{
"id":{"type":"integer"},"name":{"type":"string"},"kind":{"enum":["view","stream"]},
"source":{"type":"string"},"definition":{"type":"string"},
"state":{"type":"string","description":"running, paused, building and how far, or failed and why."},
"failure":{"oneOf":[{"$ref":"#/components/schemas/Problem"},{"type":"null"}]},
"lag_seconds":{"type":["number","null"],"description":"null: no processor runs on this node."},
"state_bytes":{"type":["integer","null"]},"position":{"type":["integer","null"]}}})"},
    {"Backup", R"({"type":"object","required":["id","lease_seconds"],"properties":{"id":{"type":"string"},
"lease_seconds":{"type":"integer","description":"It ends by itself so long after it was last renewed."}}})"},
    {"RegistryStore",
     R"({"type":"object","required":["store"],"properties":{"store":{"enum":["sqlite","postgresql","none"],
"description":"sqlite: the copy is the file registry.copy of the data directory, until the backup ends."}}})"},
    {"Tenant", R"({"type":"object","required":["name","streams","views","queries"],"properties":{
"name":{"type":"string"},
"streams":{"type":"integer","minimum":0,"description":"Derived ones included, the dead letters not."},
"views":{"type":"integer","minimum":0},"queries":{"type":"integer","minimum":0}}})"},
    {"DeadLetterHead",
     R"({"type":"object","required":["id","state","filed_at","query","stream","partition","offset",
"cause","code","message"],"properties":{"id":{"type":"integer","minimum":0},
"state":{"enum":["open","edited","discarded","redriven"]},
"filed_at":{"type":"string","description":"When the query wrote it."},
"query":{"type":"string"},"stream":{"type":"string"},
"partition":{"type":["integer","null"],"description":"null: a group's row, made of many events."},
"offset":{"type":["integer","null"]},
"cause":{"type":"string","description":"late, closed_while_idle, no_event_time, failed or undecodable."},
"code":{"type":"string"},"message":{"type":"string"}}})"},
    {"DeadLetterMark",
     R"({"type":["object","null"],"required":["at","by"],"properties":{"at":{"type":"string"},
"by":{"type":["string","null"],"description":"The token, by the start of its hash; null where none is asked for."},
"payload":{"type":"string","description":"As it was corrected."}}})"},
    {"DeadLetter",
     R"({"allOf":[{"$ref":"#/components/schemas/DeadLetterHead"},{"type":"object","required":["place",
"arrived_at","event_id","lateness_ms","payload","edited","discarded","redriven"],"properties":{
"place":{"type":["object","null"],"description":"In the query's text.","required":["line","column"],"properties":{
"line":{"type":"integer"},"column":{"type":"integer"}}},
"arrived_at":{"type":"string","description":"When the event was taken in."},
"event_id":{"type":["object","null"],"description":"Of a CloudEvent.","required":["source","id"],"properties":{
"source":{"type":"string"},"id":{"type":"string"}}},
"lateness_ms":{"type":["integer","null"]},
"payload":{"type":"string","description":"The event as it came."},
"edited":{"$ref":"#/components/schemas/DeadLetterMark"},
"discarded":{"$ref":"#/components/schemas/DeadLetterMark"},
"redriven":{"$ref":"#/components/schemas/DeadLetterMark"}}}]})"},
    {"DeadLetterPage", R"({"type":"object","required":["items","next"],"properties":{
"items":{"type":"array","items":{"$ref":"#/components/schemas/DeadLetterHead"}},"next":{"type":["string","null"]}}})"},
    {"DeadLetterCounts",
     R"({"type":"object","required":["items","next"],"properties":{"items":{"type":"array",
"items":{"type":"object","required":["query","stream","cause","code","state","letters"],"properties":{
"query":{"type":"string"},"stream":{"type":"string"},"cause":{"type":"string"},"code":{"type":"string"},
"state":{"type":"string"},"letters":{"type":"integer","minimum":1}}}},"next":{"type":["string","null"]}}})"},
    {"DeadLetterTrial", R"({"type":"object","required":["id","outcome","rows","failure"],
"properties":{"id":{"type":"integer"},"outcome":{"enum":["passes","filtered","fails"]},
"rows":{"type":"array","description":"As if the event were the query's first.","items":{"type":"object"}},
"failure":{"type":["object","null"],"required":["cause","code","message"],"properties":{
"cause":{"type":"string"},"code":{"type":"string"},"message":{"type":"string"}}}}})"},
    {"RedriveReport", R"({"type":"object","required":["redriven","skipped","next"],"properties":{
"redriven":{"type":"integer","minimum":0},"skipped":{"type":"array","items":{"type":"object",
"required":["id","code","message"],"properties":{"id":{"type":"integer"},"code":{"type":"string"},
"message":{"type":"string"}}}},"next":{"type":["string","null"]}}})"},
    {"StreamPage", R"({"type":"object","required":["items","next"],"properties":{
"items":{"type":"array","items":{"$ref":"#/components/schemas/Stream"}},"next":{"type":["string","null"]}}})"},
    {"ViewPage", R"({"type":"object","required":["items","next"],"properties":{
"items":{"type":"array","items":{"$ref":"#/components/schemas/View"}},"next":{"type":["string","null"]}}})"},
    {"QueryPage", R"({"type":"object","required":["items","next"],"properties":{
"items":{"type":"array","items":{"$ref":"#/components/schemas/Query"}},"next":{"type":["string","null"]}}})"},
    {"Token",
     R"({"type":"object","required":["id","tenant","name","scopes","all_tenants","created_at","expires_at",
"last_used_at","old_secret_until"],"properties":{"id":{"type":"string"},"tenant":{"type":"string"},"name":{"type":"string"},
"scopes":{"type":"array","items":{"type":"string"}},"all_tenants":{"type":"boolean"},
"created_at":{"type":"string","format":"date-time"},"expires_at":{"type":["string","null"],"format":"date-time"},
"last_used_at":{"type":["string","null"],"format":"date-time","description":"To the hour after a restart."},
"old_secret_until":{"type":["string","null"],"format":"date-time","description":"null: it has one secret."}}})"},
    {"ShownToken", R"({"allOf":[{"$ref":"#/components/schemas/Token"},{"type":"object","required":["token"],
"properties":{"token":{"type":"string","pattern":"^mrt_[0-9a-f]{16}_[0-9a-f]{64}$",
"description":"What Authorization: Bearer sends. It is shown this once."}}}]})"},
    {"TokenRequest", R"({"type":"object","required":["scopes"],"additionalProperties":false,"properties":{
"tenant":{"type":"string","minLength":1,"maxLength":100,"description":"Without it the caller's own."},
"name":{"type":"string","maxLength":100,"description":"What it is for."},
"scopes":{"type":"array","minItems":1,"maxItems":32,"items":{"type":"string",
"description":"ingest, read, query, each with :NAME or :PREFIX* where not all is meant; admin."}},
"all_tenants":{"type":"boolean","default":false,"description":"With admin: of every tenant."},
"expires_in_seconds":{"type":"integer","minimum":1,"maximum":315360000}}})"},
    {"TokenPage", R"({"type":"object","required":["items","next"],"properties":{
"items":{"type":"array","items":{"$ref":"#/components/schemas/Token"}},"next":{"type":["string","null"]}}})"},
    {"SchemaCheck",
     R"({"type":"object","required":["subject","schema"],"additionalProperties":false,"properties":{
"subject":{"type":"string","minLength":1},"schema":{"type":"string","minLength":1,"description":"Its text."},
"schemaType":{"enum":["AVRO","JSON","PROTOBUF"],"default":"AVRO"},
"references":{"type":"array","maxItems":1000,"items":{"type":"object","required":["name","subject","version"],
"properties":{"name":{"type":"string"},"subject":{"type":"string"},
"version":{"type":"integer","minimum":-1,"maximum":2147483647}}}},
"events":{"type":"integer","minimum":0,"maximum":10000,"default":0,
"description":"Of each stream that is made with the subject: so many of its last events are tried."}}})"},
    {"SchemaVerdict",
     R"({"type":"object","required":["subject","level","compatible","messages","streams","broken"],
"properties":{"subject":{"type":"string"},"level":{"type":"string","description":"Of the subject's compatibility."},
"compatible":{"type":"boolean"},"messages":{"type":"array","items":{"type":"string"}},
"streams":{"type":"array","items":{"type":"object","required":["name","version","id","events"],"properties":{
"name":{"type":"string"},"version":{"type":"integer","description":"That it is made with."},"id":{"type":"integer"},
"events":{"description":"null: none were tried, or the token does not read them.","oneOf":[{"type":"null"},
{"type":"object","required":["tried","misfits","complete","first","failure"],"properties":{
"tried":{"type":"integer","minimum":0},"misfits":{"type":"integer","minimum":0},
"complete":{"type":"boolean","description":"false: bytes or time ran out before the events did."},
"first":{"type":"array","maxItems":10,"items":{"type":"object",
"required":["partition","offset","arrived_at","code","message"],"properties":{
"partition":{"type":"integer","minimum":0},"offset":{"type":"integer","minimum":0},
"arrived_at":{"type":"string","format":"date-time"},"code":{"type":"string"},"message":{"type":"string"}}}},
"failure":{"oneOf":[{"$ref":"#/components/schemas/Problem"},{"type":"null"}]}}}]}}}},
"broken":{"type":["array","null"],"description":"null: no columns follow from the schema.",
"items":{"type":"object","required":["name","kind","reads","columns"],"properties":{"name":{"type":"string"},
"kind":{"enum":["stream","view","derived stream"]},"reads":{"type":["string","null"]},
"columns":{"type":"array","description":"None: it reads a derived stream that is broken.","items":{"type":"object",
"required":["name","was","becomes"],"properties":{"name":{"type":"string"},"was":{"type":"string"},
"becomes":{"type":["string","null"],"description":"null: it is gone."}}}}}}}}})"},
    {"Quotas",
     R"({"type":"object","description":"null, or left out: no bound.","additionalProperties":false,"properties":{
"events_per_s":{"type":["number","null"],"exclusiveMinimum":0,"maximum":1e12},
"bytes_per_s":{"type":["number","null"],"exclusiveMinimum":0,"maximum":1e12},
"connections":{"type":["integer","null"],"minimum":1,"maximum":1000000},
"subscriptions":{"type":["integer","null"],"minimum":1,"maximum":1000000}}})"},
    {"TenantPage", R"({"type":"object","required":["items","next"],"properties":{
"items":{"type":"array","items":{"$ref":"#/components/schemas/Tenant"}},"next":{"type":["string","null"]}}})"},
};

}  // namespace

std::span<const ApiSchema> api_schemas() {
  return kSchemas;
}

}  // namespace millrace::gateway
