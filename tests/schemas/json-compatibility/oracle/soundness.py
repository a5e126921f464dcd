#!/usr/bin/env python3
"""Holds the comparison of JSON Schemas to its word: what it calls compatible, the reader takes.

soundness.py PROGRAM SEED PAIRS makes random pairs of schemas and asks json_schema_compare (PROGRAM) about them. Of a pair that
is compatible, each event that the writer's schema takes is given to the reader's; the judge is PyPI's jsonschema.

Left out is what the registries' rules do not promise, so that nothing is found that is meant; the README beside the cases
lists it.
"""
import copy
import json
import os
import random
import subprocess
import sys

ROOT = os.path.dirname(os.path.abspath(__file__)) + "/../../../.."
sys.path.insert(0, os.path.join(ROOT, "build", "python"))

import jsonschema  # noqa: E402

TYPES = ["string", "integer", "number", "boolean", "null", "object", "array"]
NAMES = ["a", "b", "c", "d"]
EVENTS_A_PAIR = 40


class Schemas:
    """Schemas whose keywords all have a type beside them, with definitions that refer to each other."""

    def __init__(self, rng, draft):
        self.rng, self.draft = rng, draft
        self.definitions = 0

    def whole(self):
        self.definitions = self.rng.randrange(3)
        out = self.schema(0)
        parts = {f"d{i}": self.of_type(1, self.rng.choice(TYPES)) for i in range(self.definitions)}
        if not isinstance(out, dict):
            out = {"type": ["integer", "string"]}
        if "$ref" in out:  # nothing beside it counts
            out = {"allOf": [out]}
        return dict(out, definitions=parts) | ({"$schema": self.draft} if self.draft else {})

    def schema(self, depth):
        rng, roll = self.rng, self.rng.random()
        if roll < 0.05:
            return rng.random() < 0.8
        if roll < 0.12 and self.definitions:
            return {"$ref": f"#/definitions/d{rng.randrange(self.definitions)}"}
        if roll < 0.20:
            return {"enum": rng.sample(["a", "b", 1, 2, 1.5, None, True, {}, [1]], rng.randrange(1, 4))}
        if roll < 0.24:
            return {"const": rng.choice(["a", 1, None, {"a": 1}])}
        if roll < 0.32 and depth < 3:
            return {rng.choice(["anyOf", "allOf"]): [self.schema(depth + 1) for _ in range(rng.randrange(1, 4))]}
        if roll < 0.38 and depth < 3:
            types = rng.sample(["string", "integer", "boolean", "null", "object", "array"], rng.randrange(1, 4))
            return {"oneOf": [self.of_type(depth + 1, one) for one in types]}
        if roll < 0.42 and depth < 3:
            return {"not": self.of_type(depth + 1, rng.choice(TYPES))}
        if roll < 0.47:
            return {"type": rng.sample(["string", "integer", "boolean", "null"], rng.randrange(1, 4))}
        return self.of_type(depth, rng.choice(TYPES))

    def some(self, out, keyword, value, chance=0.3):
        if self.rng.random() < chance:
            out[keyword] = value()

    def of_type(self, depth, name):
        rng, out = self.rng, {"type": name}
        if name in ("integer", "number"):
            for keyword in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
                self.some(out, keyword, lambda: rng.choice([-1, 0, 0.5, 1, 2, 3]), 0.2)
            self.some(out, "multipleOf", lambda: rng.choice([0.5, 1, 1.5, 2, 3, 4]), 0.2)
        if name == "string":
            self.some(out, "minLength", lambda: rng.randrange(3))
            self.some(out, "maxLength", lambda: rng.randrange(1, 4))
            self.some(out, "pattern", lambda: rng.choice(["a", "^a", "b$"]), 0.2)
        if name == "object":
            self.object(out, depth)
        if name == "array":
            self.array(out, depth)
        if rng.random() < 0.05 and name in ("integer", "string"):
            out["enum"] = [1, 2, 3] if name == "integer" else ["a", "b"]
        return out

    def object(self, out, depth):
        rng = self.rng
        if depth < 3:
            names = rng.sample(NAMES, rng.randrange(4))
            self.some(out, "properties", lambda: {name: self.schema(depth + 1) for name in names}, 0.9)
            self.some(out, "additionalProperties", lambda: rng.choice([True, False, False, self.schema(depth + 1)]), 0.6)
        self.some(out, "required", lambda: rng.sample(NAMES, rng.randrange(1, 3)))
        self.some(out, "minProperties", lambda: rng.randrange(3), 0.1)
        self.some(out, "maxProperties", lambda: rng.randrange(1, 4), 0.1)
        if not self.draft:
            self.some(out, "dependencies", lambda: {"a": rng.choice([["b"], ["b", "c"], self.of_type(3, "object")])}, 0.1)
        else:
            self.some(out, "dependentRequired", lambda: {"a": rng.choice([["b"], ["b", "c"]])}, 0.1)
            self.some(out, "dependentSchemas", lambda: {"b": self.of_type(3, "object")}, 0.1)

    def array(self, out, depth):
        rng = self.rng
        if depth < 3:
            first, rest = ("prefixItems", "items") if self.draft else ("items", "additionalItems")
            if rng.random() < 0.5:
                out["items"] = self.schema(depth + 1)
            elif rng.random() < 0.7:
                out[first] = [self.schema(depth + 1) for _ in range(rng.randrange(1, 4))]
                self.some(out, rest, lambda: rng.choice([True, False, self.schema(depth + 1)]), 0.6)
        self.some(out, "minItems", lambda: rng.randrange(3), 0.15)
        self.some(out, "maxItems", lambda: rng.randrange(1, 4), 0.15)
        self.some(out, "uniqueItems", lambda: rng.random() < 0.7, 0.15)

    def changed(self, schema):
        """The same but for a change somewhere."""
        rng = self.rng
        if not isinstance(schema, dict) or rng.random() < 0.12:
            return self.schema(2)
        out = copy.copy(schema)
        inner = [k for k in ("properties", "items", "prefixItems", "additionalProperties", "additionalItems", "anyOf",
                             "allOf", "not", "definitions") if k in out and out[k] not in (True, False, [], {})]
        if inner and rng.random() < 0.6:
            keyword = rng.choice(inner)
            out[keyword] = self.changed_part(out[keyword], keyword in ("properties", "definitions"))
            return out
        simple = [k for k in out if k not in ("$schema", "definitions", "$ref", "type", "enum", "const")]
        if simple and rng.random() < 0.4:
            del out[rng.choice(simple)]
        elif "enum" in out:
            out["enum"] = out["enum"][1:] + rng.sample(["x", 7], 1) if rng.random() < 0.5 else out["enum"] + ["y"]
        elif isinstance(out.get("type"), str):
            name = "number" if out["type"] == "integer" and rng.random() < 0.4 else out["type"]
            fresh = self.of_type(2 if rng.random() < 0.5 else 1, name)
            out["type"] = name
            for keyword in rng.sample(sorted(fresh), min(len(fresh), 2)):
                out[keyword] = fresh[keyword]
        return out

    def changed_part(self, part, by_name):
        rng = self.rng
        if by_name or isinstance(part, list):
            part = dict(part) if by_name else list(part)
            key = rng.choice(sorted(part)) if by_name else rng.randrange(len(part))
            if part and rng.random() < 0.25 and len(part) > 1:
                del part[key]
            elif rng.random() < 0.25:
                part.update({rng.choice(NAMES): self.schema(2)}) if by_name else part.append(self.schema(2))
            else:
                part[key] = self.changed(part[key])
            return part
        return self.changed(part)


class Events:
    """Events that a schema is likely to take."""

    def __init__(self, rng, whole):
        self.rng, self.whole = rng, whole

    def any(self, depth=0):
        rng = self.rng
        kind = rng.randrange(9 if depth < 2 else 7)
        if kind == 7:
            return {name: self.any(depth + 1) for name in rng.sample(NAMES, rng.randrange(4))}
        if kind == 8:
            return [self.any(depth + 1) for _ in range(rng.randrange(4))]
        return rng.choice([rng.choice(["", "a", "b", "ab", "bab", "x", "y"]), rng.randrange(-2, 8), rng.choice([0.5, 1.5, 2.0, 2.5]),
                           rng.random() < 0.5, None, 1, 2])

    def of(self, schema, depth=0):
        rng = self.rng
        if not isinstance(schema, dict) or depth > 6 or rng.random() < 0.05:
            return self.any(depth)
        if "$ref" in schema:
            return self.of(self.whole["definitions"][schema["$ref"].rsplit("/", 1)[1]], depth + 1)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return rng.choice(schema["enum"])
        for keyword in ("anyOf", "oneOf", "allOf"):
            if keyword in schema:
                return self.of(rng.choice(schema[keyword]), depth + 1)
        kind = schema.get("type", "any")
        kind = rng.choice(kind) if isinstance(kind, list) else kind
        if kind == "object":
            return self.object(schema, depth)
        if kind == "array":
            return self.array(schema, depth)
        numbers = [schema[k] for k in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum") if k in schema]
        number = rng.choice(numbers + [0, 3, -2, 6]) + rng.choice([-1, -0.5, 0, 0.5, 1]) * (1 if kind == "number" else 2)
        return {"string": rng.choice(["", "a", "b", "ab", "aab", "bab", "aaaa"]), "number": number,
                "integer": int(number), "boolean": rng.random() < 0.5, "null": None}.get(kind, self.any(depth))

    def object(self, schema, depth):
        rng = self.rng
        properties = schema.get("properties", {})
        names = [name for name in NAMES if rng.random() < (0.5 if name in properties else 0.25)]
        names = sorted(set(names) | set(schema.get("required", [])))
        rest = schema.get("additionalProperties", True)
        return {name: self.of(properties.get(name, rest), depth + 1) for name in names}

    def array(self, schema, depth):
        first = schema.get("prefixItems", schema["items"] if isinstance(schema.get("items"), list) else [])
        rest = schema.get("additionalItems", True) if isinstance(schema.get("items"), list) else schema.get("items", True)
        count = self.rng.randrange(max(schema.get("minItems", 0), len(first)) + 2)
        return [self.of(first[i] if i < len(first) else rest, depth + 1) for i in range(count)]


def promised(schema):
    """Without required names that are no properties: those are not compared. And without what the judge stumbles over."""
    if isinstance(schema, list):
        return [promised(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: promised(value) for key, value in schema.items()}
    if isinstance(out.get("required"), list):
        out["required"] = [name for name in out["required"] if name in out.get("properties", {})]
        if not out["required"]:
            del out["required"]
    if isinstance(out.get("items"), bool):
        out.pop("additionalItems", None)
    return out


def pair_of(rng):
    draft = rng.choice([None, "https://json-schema.org/draft/2020-12/schema"])
    schemas = Schemas(rng, draft)
    writer = schemas.whole()
    reader = writer
    for _ in range(rng.randrange(1, 4)):
        reader = schemas.changed(reader)
        if not isinstance(reader, dict):
            reader = writer
    reader["definitions"] = writer["definitions"] | reader.get("definitions", {})
    if draft:
        reader["$schema"] = draft
    reader, writer = promised(reader), promised(writer)
    return (reader, writer) if rng.random() < 0.5 else (writer, reader)


def takes(validator, event):
    try:
        return validator.is_valid(event)
    except RecursionError:  # a reference to itself
        return None


def refused_event(rng, reader, writer):
    """One that the writer's schema takes and the reader's does not; how many were taken."""
    kind = jsonschema.Draft202012Validator if "$schema" in writer else jsonschema.Draft7Validator
    before, after, events = kind(writer), kind(reader), Events(rng, writer)
    taken = 0
    for _ in range(EVENTS_A_PAIR):
        event = events.of(writer)
        if not takes(before, event):
            continue
        taken += 1
        if takes(after, event) is False:
            return [event], taken
    return [], taken


def main():
    program, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    rng = random.Random(seed)
    pairs = [pair_of(rng) for _ in range(count)]
    lines = "".join(json.dumps(reader) + "\t" + json.dumps(writer) + "\n" for reader, writer in pairs)
    answers = subprocess.run([program], input=lines, capture_output=True, text=True, check=True).stdout.split("\n")
    compatible = failed = events = wrong = 0
    for (reader, writer), answer in zip(pairs, answers, strict=False):
        wrong += answer.startswith("ERROR")
        if answer:
            continue
        compatible += 1
        refused, taken = refused_event(rng, reader, writer)
        events += taken
        for event in refused:
            failed += 1
            print(f"reader {json.dumps(reader)}\nwriter {json.dumps(writer)}\nevent  {json.dumps(event)}\n")
    print(f"{count} pairs, {compatible} compatible, {events} events, {failed} pairs unsound, {wrong} not compared")
    assert compatible > count / 10 and events > 5 * compatible and wrong == 0, "the pairs say too little"
    sys.exit(1 if failed else 0)


main()
