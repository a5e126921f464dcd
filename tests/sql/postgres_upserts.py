#!/usr/bin/env python3
"""Compares views over streams with a primary key, and over the changes of their groups, with PostgreSQL 15: random upserts and
deletes, and the same in a table.

PROGRAM is millrace. PostgreSQL says what each view has to show after each request; that becomes a file of query tests, which
`millrace test` runs under every schedule (partitions, workers, restarts, steps)."""
import random

import postgres

LEFT_OUT = ("what is refused over streams with a primary key", "rows that fail, which PostgreSQL answers with a failing query")
COLUMNS = [("n", "BIGINT"), ("price", "NUMERIC(12,2)"), ("s", "TEXT"), ("ok", "BOOLEAN")]
KEYS = [[("id", "BIGINT")], [("id", "TEXT")], [("id", "BIGINT"), ("part", "TEXT")], [("part", "TEXT"), ("id", "NUMERIC(5,1)")]]
CONDITIONS = ["n > 0", "n % 2 = 0", "s <> 'b'", "ok", "NOT ok", "price < 1.5", "s IS NULL", "n IS NOT NULL", "n > 0 OR ok"]
GROUPS = ["s", "ok", "n % 3", "n", "price > 0", "COALESCE(s, 'none')"]


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def value(self, of_type):
        pick = self.random
        if of_type == "BIGINT":
            return str(pick.randint(-3, 3))
        if of_type.startswith("NUMERIC"):
            return str(pick.randint(-30, 30) / 10)
        return pick.choice(["true", "false"] if of_type == "BOOLEAN" else ["a", "b", "c"])

    def maybe_null(self, of_type):
        return None if self.random.random() < 0.2 else self.value(of_type)

    def condition(self):
        return self.random.choice(CONDITIONS)

    def aggregate(self):
        pick = self.random
        kind = pick.choice(["count(*)", "count", "sum", "avg", "var_pop", "stddev", "bit_xor", "min", "max", "bool_and", "bool_or"])
        if kind == "count(*)":
            call = kind
        else:
            distinct = pick.choice(["", "", "DISTINCT "]) if kind in ("count", "sum", "avg", "var_pop", "stddev") else ""
            column = {"count": ["n", "s", "price", "ok"], "bit_xor": ["n"], "min": ["n", "price", "s"], "max": ["n", "price", "s"],
                      "bool_and": ["ok"], "bool_or": ["n > 0"]}.get(kind, ["price", "n::numeric"])
            call = f"{kind}({distinct}{pick.choice(column)})"
        return call + (f" FILTER (WHERE {self.condition()})" if pick.random() < 0.3 else "")

    def grouped(self, stream):
        pick = self.random
        groups = pick.sample(GROUPS + [name for name, _ in self.key], pick.randint(0, 2))
        calls = [self.aggregate() for _ in range(pick.randint(1, 4))]
        items = [f"{text} AS x{i}" for i, text in enumerate(groups + calls)]
        where = f" WHERE {self.condition()}" if pick.random() < 0.4 else ""
        having = f" HAVING {pick.choice(['count(*) > 1', 'sum(n) IS NOT NULL', 'count(DISTINCT s) < 3'])}" if pick.random() < 0.3 else ""
        group = f" GROUP BY {', '.join(groups)}" if groups else ""
        return f"SELECT {', '.join(items)} FROM {stream}{where}{group}{having}"

    def plain(self, stream):
        items = self.random.sample(["n * 2", "s || 'x'", "price", "ok", *(name for name, _ in self.key)], 3)
        where = f" WHERE {self.condition()}" if self.random.random() < 0.6 else ""
        distinct = self.random.choice(["", "", "DISTINCT "])
        return f"SELECT {distinct}{', '.join(f'{text} AS x{i}' for i, text in enumerate(items))} FROM {stream}{where}"

    def changes(self):
        """Groups whose changes are a stream, with columns for those of chained()."""
        pick = self.random
        group = pick.choice(GROUPS)
        where = f" WHERE {self.condition()}" if pick.random() < 0.3 else ""
        having = f" HAVING {pick.choice(['count(*) > 1', 'sum(n) > 0', 'max(price) IS NOT NULL'])}" if pick.random() < 0.5 else ""
        return f"SELECT {group} AS g, count(*) AS m, sum(n) AS total, max(price) AS most FROM t{where} GROUP BY {group}{having}"

    def chained(self):
        return self.random.choice(["SELECT m, count(*) AS groups, sum(total) AS total, max(most) AS most, count(g) AS named FROM c GROUP BY m",
                                   "SELECT g, m, total, most FROM c WHERE total IS NOT NULL",
                                   "SELECT max(m) AS m, min(total) AS least, count(DISTINCT most) AS different FROM c"])

    def event(self):
        key = [self.value(of_type) for _, of_type in self.key]
        rest = [self.maybe_null(of_type) for _, of_type in COLUMNS]
        deletes = self.random.random() < 0.25
        return key, rest, "delete" if deletes else self.random.choice(["upsert", "insert", None])

    def case(self):
        """The key, the stream of changes, the views, and the requests, each a list of events."""
        self.key = self.random.choice(KEYS)
        views = [self.grouped("t"), self.grouped("t"), self.plain("t"), self.chained()]
        requests = [[self.event() for _ in range(self.random.randint(1, 8))] for _ in range(self.random.randint(2, 5))]
        return self.key, self.changes(), views, requests


def literal(value):
    return "NULL" if value is None else f"'{value}'"


def create(key, object_kind):
    columns = ", ".join(f"{name} {of_type}" for name, of_type in key + COLUMNS)
    return f"CREATE {object_kind} t ({columns}, PRIMARY KEY ({', '.join(name for name, _ in key)}));\n"


def as_statement(key, event):
    values, rest, op = event
    names = [name for name, _ in key]
    if op == "delete":
        return "DELETE FROM t WHERE " + " AND ".join(f"{n} = {literal(v)}" for n, v in zip(names, values)) + ";\n"
    sets = ", ".join(f"{name} = EXCLUDED.{name}" for name, _ in COLUMNS)
    return f"INSERT INTO t VALUES ({', '.join(map(literal, values + rest))}) ON CONFLICT ({', '.join(names)}) DO UPDATE SET {sets};\n"


def script_of(case):
    key, changes, views, requests = case
    out = "DROP TABLE IF EXISTS t;\n" + create(key, "TABLE")
    for request in requests:
        out += "".join(as_statement(key, event) for event in request)
        out += "".join(f"\\echo ~\n{view.replace(' FROM c', f' FROM ({changes}) c')};\n" for view in views)
    return out


def tuples(rows):
    return " ".join("(" + ", ".join("null" if value is None else str(value) for value in row) + ")" for row in rows)


def test_of(number, case, answers):
    key, changes, views, requests = case
    out = f"== case {number}\n" + create(key, "STREAM") + f"CREATE STREAM c AS {changes};\n"
    out += "".join(f"CREATE MATERIALIZED VIEW v{i} AS {view};\n" for i, view in enumerate(views))
    for request in requests:
        out += f"push t {tuples([*values, *rest, op] for values, rest, op in request)}\n"
        out += "".join(f"expect v{i} {tuples(next(answers))}".rstrip() + "\n" for i in range(len(views)))
    return out + "\n"


def as_ours(value):
    """A numeric has no needless zeros."""
    if "." in value:
        value = value.rstrip("0").rstrip(".")
    return {"t": "true", "f": "false"}.get(value, value)


def compare(server, program, seed, count):
    generator = Generator(seed)
    cases = [generator.case() for _ in range(count)]
    rows = server.answers("".join(map(script_of, cases)), "null")
    answers = iter([[as_ours(value) for value in row] for row in answer] for answer in rows)
    text = "".join(test_of(number, case, answers) for number, case in enumerate(cases))
    different, _ = postgres.run_cases(program, text)
    print(f"seed {seed}: {count} cases, {len(rows)} answers of PostgreSQL, {different} differ")
    return different == 0


if __name__ == "__main__":
    postgres.main(compare, 60, LEFT_OUT)
