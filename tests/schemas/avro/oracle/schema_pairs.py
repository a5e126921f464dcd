#!/usr/bin/env python3
"""Writes random pairs of schemas, reader TAB writer, as AvroOracle reads them: schema_pairs.py SEED COUNT [data]

With `data`, a value of the writer's schema, too, in Avro's JSON encoding.
"""
import json
import random
import sys

PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]
DEFAULTS = {"null": None, "boolean": True, "int": 1, "long": 2, "float": 1.5, "double": 2.5, "bytes": "b", "string": "s"}
NAMES = ["A", "B", "C", "D"]
SPACES = [None, "n", "m.k"]


class Schemas:
    def __init__(self, rng):
        self.rng = rng
        self.defined = {}

    def full(self, name, space):
        return name if not space else space + "." + name

    def type(self, depth, space, in_union=False):
        rng = self.rng
        roll = rng.random()
        if depth > 3 or roll < 0.4:
            if self.defined and rng.random() < 0.3:
                return rng.choice(sorted(self.defined))
            return rng.choice(PRIMITIVES)
        if roll < 0.5:
            return {"type": "array", "items": self.type(depth + 1, space)}
        if roll < 0.6:
            return {"type": "map", "values": self.type(depth + 1, space)}
        if roll < 0.75 and not in_union:
            return self.union(depth, space)
        return self.named(depth, space)

    def union(self, depth, space):
        branches, seen = [], set()
        for _ in range(self.rng.randrange(1, 4)):
            branch = self.type(depth + 1, space, True)
            name = branch if isinstance(branch, str) else branch["type"]
            if isinstance(branch, dict) and "name" in branch:
                name = self.full(branch["name"], branch.get("namespace", space))
            if name not in seen:
                seen.add(name)
                branches.append(branch)
        return branches

    def named(self, depth, space):
        rng = self.rng
        kind = rng.choice(["record", "record", "enum", "fixed"])
        own = rng.choice(SPACES)
        name = rng.choice(NAMES)
        out = {"type": kind, "name": name}
        if own is not None:
            out["namespace"] = own
        inside = own if own is not None else space
        if self.full(name, inside) in self.defined:
            return rng.choice(PRIMITIVES)
        self.defined[self.full(name, inside)] = kind
        if rng.random() < 0.3:
            out["aliases"] = [rng.choice(NAMES + ["n.A", "m.k.B", "n.C"])]
        if kind == "fixed":
            out["size"] = rng.randrange(1, 4)
        if kind == "enum":
            out["symbols"] = rng.sample(["X", "Y", "Z", "W"], rng.randrange(1, 4))
            if rng.random() < 0.3:
                out["default"] = rng.choice(out["symbols"])
        if kind == "record":
            out["fields"] = []
            for field in rng.sample(["f", "g", "h", "i"], rng.randrange(0, 4)):
                f = {"name": field, "type": self.type(depth + 1, inside)}
                if isinstance(f["type"], str) and f["type"] in DEFAULTS and rng.random() < 0.4:
                    f["default"] = DEFAULTS[f["type"]]
                if rng.random() < 0.2:
                    f["aliases"] = [rng.choice("fghij")]
                out["fields"].append(f)
        return out


def mutate(rng, schema):
    """The same schema but for a change here and there."""
    if isinstance(schema, str):
        return rng.choice(PRIMITIVES) if schema in PRIMITIVES and rng.random() < 0.2 else schema
    if isinstance(schema, list):
        branches = [mutate(rng, b) for b in schema if rng.random() < 0.9]
        return branches if rng.random() < 0.9 or not branches else branches[0]
    out = dict(schema)
    for key in ("items", "values"):
        if key in out:
            out[key] = mutate(rng, out[key])
    if "fields" in out:
        fields = []
        for field in out["fields"]:
            field = dict(field, type=mutate(rng, field["type"]))
            if rng.random() < 0.3:
                field.pop("default", None)
            if rng.random() < 0.85:
                fields.append(field)
        out["fields"] = fields
    if "size" in out and rng.random() < 0.2:
        out["size"] += 1
    if "symbols" in out and rng.random() < 0.3:
        out["symbols"] = [s for s in out["symbols"] if rng.random() < 0.7 or s == out.get("default")]
    if "name" in out and rng.random() < 0.1:
        out["name"] = rng.choice(NAMES)
    if rng.random() < 0.05:
        return ["null", out]
    return out


class Data:
    def __init__(self, rng, schema):
        self.rng = rng
        self.named = {}
        self.learn(schema, "")

    def learn(self, schema, space):
        if isinstance(schema, list):
            for branch in schema:
                self.learn(branch, space)
        elif isinstance(schema, dict):
            if "name" in schema:
                space = schema.get("namespace", space)
                self.named[(space + "." if space else "") + schema["name"]] = (schema, space)
            for key in ("items", "values"):
                if key in schema:
                    self.learn(schema[key], space)
            for field in schema.get("fields", []):
                self.learn(field["type"], space)

    def resolve(self, schema, space):
        if isinstance(schema, dict) and "name" in schema:
            return schema, schema.get("namespace", space)
        if isinstance(schema, str) and schema not in PRIMITIVES:
            full = (space + "." if space and "." not in schema else "") + schema
            return self.named[full if full in self.named else schema]
        return schema, space

    def branch_name(self, schema, space):
        schema, space = self.resolve(schema, space)
        if isinstance(schema, str):
            return schema
        if "name" in schema:
            return (space + "." if space else "") + schema["name"]
        return schema["type"]

    def value(self, schema, space="", depth=0):
        rng = self.rng
        if depth > 12:
            raise RecursionError
        schema, space = self.resolve(schema, space)
        if isinstance(schema, list):
            branch = rng.choice(schema)
            name = self.branch_name(branch, space)
            value = self.value(branch, space, depth + 1)
            return None if name == "null" else {name: value}
        kind = schema if isinstance(schema, str) else schema["type"]
        if kind == "array":
            return [self.value(schema["items"], space, depth + 1) for _ in range(rng.randrange(0, 3))]
        if kind == "map":
            return {k: self.value(schema["values"], space, depth + 1) for k in rng.sample("xyz", rng.randrange(0, 3))}
        if kind == "record":
            return {f["name"]: self.value(f["type"], space, depth + 1) for f in schema["fields"]}
        if kind == "enum":
            return rng.choice(schema["symbols"])
        if kind == "fixed":
            return "".join(chr(rng.randrange(256)) for _ in range(schema["size"]))
        return {"null": None, "boolean": rng.random() < 0.5, "int": rng.choice([0, -1, 1, 2**31 - 1, -(2**31), rng.randrange(1000)]),
                "long": rng.choice([0, -1, 2**63 - 1, -(2**63), rng.randrange(10**12)]), "float": rng.choice([0.5, -2.25, 1024.0]),
                "double": rng.choice([0.1, -1e300, 3.0]), "bytes": rng.choice(["", "a", "\u00ff\u0000"]),
                "string": rng.choice(["", "a", "\u00e9\U0001f600\"\\"])}[kind]


def main():
    rng = random.Random(int(sys.argv[1]))
    for _ in range(int(sys.argv[2])):
        reader = Schemas(rng).type(0, None)
        writer = mutate(rng, reader) if rng.random() < 0.8 else Schemas(rng).type(0, None)
        if rng.random() < 0.5:
            reader, writer = writer, reader
        line = json.dumps(reader) + "\t" + json.dumps(writer)
        if len(sys.argv) > 3:
            try:
                line += "\t" + json.dumps(Data(rng, writer).value(writer))
            except (RecursionError, IndexError, KeyError, TypeError):
                continue
        print(line)


main()
