#!/usr/bin/env python3
"""Writes random pairs of schemas, reader TAB writer, as AvroOracle reads them: schema_pairs.py SEED COUNT"""
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


def main():
    rng = random.Random(int(sys.argv[1]))
    for _ in range(int(sys.argv[2])):
        reader = Schemas(rng).type(0, None)
        writer = mutate(rng, reader) if rng.random() < 0.8 else Schemas(rng).type(0, None)
        if rng.random() < 0.5:
            reader, writer = writer, reader
        print(json.dumps(reader) + "\t" + json.dumps(writer))


main()
