// What it adds to parsing an event to validate it. Not a test: figures are for a person.
#include <benchmark/benchmark.h>
#include <simdjson.h>

#include <cstdlib>
#include <string>

#include "json-schema/validator.h"

namespace millrace::json_schema {
namespace {

// Twelve rules, one a member, as a schema of a web shop's orders would have them.
constexpr std::string_view kSchema = R"({
  "$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "additionalProperties": false,
  "required": ["id", "kind", "time", "tenant", "customer", "currency", "total", "lines"],
  "properties": {
    "id": {"type": "string", "minLength": 36, "maxLength": 36},
    "kind": {"enum": ["order.created", "order.changed", "order.cancelled", "order.shipped"]},
    "time": {"type": "string", "minLength": 20, "maxLength": 35},
    "tenant": {"type": "string", "pattern": "^[a-z0-9-]{1,40}$"},
    "customer": {
      "type": "object", "required": ["id", "country"],
      "properties": {"id": {"type": "integer", "minimum": 1}, "country": {"type": "string", "minLength": 2, "maxLength": 2},
                     "vip": {"type": "boolean"}}},
    "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
    "total": {"type": "number", "minimum": 0, "maximum": 1000000},
    "lines": {
      "type": "array", "minItems": 1, "maxItems": 100,
      "items": {
        "type": "object", "required": ["sku", "quantity", "price"], "additionalProperties": false,
        "properties": {"sku": {"type": "string", "maxLength": 20}, "quantity": {"type": "integer", "minimum": 1},
                       "price": {"type": "number", "exclusiveMinimum": 0}}}},
    "channel": {"enum": ["web", "app", "shop", "phone"]},
    "tags": {"type": "array", "items": {"type": "string", "maxLength": 30}},
    "note": {"type": ["string", "null"], "maxLength": 500},
    "attempt": {"type": "integer", "minimum": 0, "maximum": 10}
  }})";

constexpr std::string_view kEvent =
    R"({"id":"7f0c3a52-9d41-4e2b-8f56-0c1a2b3d4e5f","kind":"order.created","time":"2026-03-14T09:26:53.589Z",)"
    R"("tenant":"north-shop","customer":{"id":884213,"country":"DE","vip":true},"currency":"EUR","total":131.35,)"
    R"("lines":[{"sku":"KB-1042-DE","quantity":1,"price":89.95},{"sku":"MS-0007","quantity":2,"price":20.7}],)"
    R"("channel":"web","tags":["returning","newsletter"],"note":"leave at the gate","attempt":0})";
static_assert(kEvent.size() == 398);

Validator validator_of_orders() {
  auto document = Document::parse(kSchema, {});
  CHECK(document.ok(), "the schema is one");
  auto validator = Validator::compile(*document);
  CHECK(validator.ok(), "and compiles");
  return std::move(validator).value();
}

void parse_only(benchmark::State& state) {
  EventParser parser;
  for (auto _ : state) benchmark::DoNotOptimize(parser.parse(kEvent));
}
BENCHMARK(parse_only);

void parse_and_validate(benchmark::State& state) {
  const Validator validator = validator_of_orders();
  EventParser parser;
  for (auto _ : state) {
    const auto event = parser.parse(kEvent);
    benchmark::DoNotOptimize(validator.check(*event).ok());
  }
}
BENCHMARK(parse_and_validate);

void validate_only(benchmark::State& state) {
  const Validator validator = validator_of_orders();
  EventParser parser;
  const auto event = parser.parse(kEvent);
  for (auto _ : state) benchmark::DoNotOptimize(validator.check(*event).ok());
}
BENCHMARK(validate_only);

}  // namespace
}  // namespace millrace::json_schema

BENCHMARK_MAIN();
