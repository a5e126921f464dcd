#!/usr/bin/env python3
"""Compares queries in queries with PostgreSQL 15: random ones, nested, grouped, put together, over a few random rows.

PROGRAM is sql_queries. Both get the same text and have to give the same rows, in any order."""
import random
import subprocess

import postgres

LEFT_OUT = ("joins and subqueries in expressions, which are not there", "`avg` and `sum` of bigint, which have another type",
            "`LIMIT` without an order of all columns: any rows are right")
TYPES = ("int", "text")


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.names = 0

    def name(self):
        self.names += 1
        return f"x{self.names}"

    def value(self, of_type):
        if self.random.random() < 0.2:
            return "NULL"
        return str(self.random.randint(-3, 3)) if of_type == "int" else f"'{self.random.choice('abc')}'"

    def expression(self, columns, of_type, depth=2):
        fitting = [name for name, known in columns if known == of_type]
        pick = self.random.random()
        if depth == 0 or pick < 0.5:
            return self.random.choice(fitting) if fitting and pick < 0.4 else f"{self.value(of_type)}::{of_type}"
        if of_type == "text":
            return f"({self.expression(columns, 'text', depth - 1)} || {self.expression(columns, 'text', depth - 1)})"
        if pick < 0.7:
            return f"({self.expression(columns, 'int', depth - 1)} {self.random.choice('+-')} {self.expression(columns, 'int', depth - 1)})"
        return f"CASE WHEN {self.condition(columns)} THEN {self.expression(columns, 'int', 0)} ELSE {self.expression(columns, 'int', 0)} END"

    def condition(self, columns):
        of_type = self.random.choice(TYPES)
        left, right = (self.expression(columns, of_type, 1) for _ in range(2))
        test = f"{left} {self.random.choice(['=', '<>', '<', '>=', 'IS DISTINCT FROM'])} {right}"
        if self.random.random() < 0.3:
            return f"({test} {self.random.choice(['AND', 'OR'])} {self.condition(columns)})"
        return f"{left} IS {self.random.choice(['', 'NOT '])}NULL" if self.random.random() < 0.1 else test

    def source(self, scope, depth):
        """FROM's text, and its columns."""
        if depth == 0 or self.random.random() < 0.3:
            name = self.random.choice(list(scope))
            return name, scope[name]
        types = [self.random.choice(TYPES) for _ in range(self.random.randint(1, 3))]
        alias, columns = self.name(), [(self.name(), t) for t in types]
        inner = self.query(scope, types, depth - 1)
        return f"({inner}) AS {alias} ({', '.join(name for name, _ in columns)})", columns

    def named(self, expressions):
        return ", ".join(f"{e} AS {self.name()}" for e in expressions)

    def plain(self, scope, types, depth):
        source, columns = self.source(scope, depth)
        distinct = self.random.choice(["", "", "DISTINCT "])
        where = f" WHERE {self.condition(columns)}" if self.random.random() < 0.5 else ""
        return f"SELECT {distinct}{self.named(self.expression(columns, t) for t in types)} FROM {source}{where}"

    def grouped(self, scope, types, depth):
        source, columns = self.source(scope, depth)
        keys = self.random.sample(columns, self.random.randint(0, len(columns)))
        outputs = []
        for t in types:
            known = [name for name, of_type in keys if of_type == t]
            if known and self.random.random() < 0.6:
                outputs.append(self.random.choice(known))
                continue
            argument = self.expression(columns, t, 1)
            call = self.random.choice(["count", "sum", "min", "max"] if t == "int" else ["min", "max"])
            if call in ("count", "sum"):
                argument = self.random.choice(["DISTINCT ", ""]) + argument
            outputs.append(f"{call}({argument})::{t}")
        where = f" WHERE {self.condition(columns)}" if self.random.random() < 0.3 else ""
        names = [name for name, _ in keys]
        group = f" GROUP BY {', '.join(names)}" if keys else ""
        if source == "t" and self.random.random() < 0.6:  # elsewhere two columns may be one expression
            group = " GROUP BY " + self.grouping_sets(names)
            if names:
                outputs = [f"grouping({', '.join(names)})::int" if t == "int" and self.random.random() < 0.3 else o
                           for t, o in zip(types, outputs)]
        having = " HAVING count(*) > 1" if self.random.random() < 0.3 else ""
        return f"SELECT {self.named(outputs)} FROM {source}{where}{group}{having}"

    def grouping_sets(self, names):
        some = self.random.sample(names, self.random.randint(0, len(names)))
        kind = self.random.choice(["ROLLUP", "CUBE", "SETS", "AND"]) if names else "SETS"
        if kind == "AND":
            return f"{', '.join(names)}, ROLLUP({names[0]})"
        if kind == "SETS":
            return f"GROUPING SETS (({', '.join(names)}), ({', '.join(some)}), ())"
        return f"{kind}({', '.join(names)})"

    def values(self, types):
        rows = (", ".join(f"{self.value(t)}::{t}" for t in types) for _ in range(self.random.randint(1, 3)))
        return "VALUES " + ", ".join(f"({row})" for row in rows)

    def together(self, scope, types, depth):
        operation = self.random.choice(["UNION", "INTERSECT", "EXCEPT"]) + self.random.choice(["", " ALL"])
        return f"({self.query(scope, types, depth - 1)}) {operation} ({self.query(scope, types, depth - 1)})"

    def with_names(self, scope, types, depth):
        name = self.name()
        inner_types = [self.random.choice(TYPES) for _ in range(2)]
        columns = [(self.name(), t) for t in inner_types]
        inner = self.query(scope, inner_types, depth - 1)
        body = self.query({**scope, name: columns}, types, depth - 1)
        return f"WITH {name} ({', '.join(c for c, _ in columns)}) AS ({inner}) {body}"

    def query(self, scope, types, depth):
        pick = self.random.random()
        if depth == 0 or pick < 0.35:
            out = self.plain(scope, types, depth)
        elif pick < 0.6:
            out = self.grouped(scope, types, depth)
        elif pick < 0.65:
            out = self.values(types)
        elif pick < 0.85:
            out = self.together(scope, types, depth)
        else:
            return f"SELECT * FROM ({self.with_names(scope, types, depth)}) AS {self.name()}"
        if self.random.random() < 0.2:
            order = ", ".join(f"{i + 1}{self.random.choice(['', ' DESC', ' NULLS FIRST'])}" for i in range(len(types)))
            bound = self.random.choice([f"LIMIT {self.random.randint(0, 4)}", f"OFFSET {self.random.randint(0, 3)}", "FETCH FIRST 2 ROWS ONLY"])
            out = f"{out} ORDER BY {order} {bound}"
        return out

    def statement(self):
        self.names = 0
        table = [("a", "int"), ("b", "int"), ("s", "text")]
        rows = [", ".join(f"{self.value(t)}::{t}" for _, t in table) for _ in range(self.random.randint(1, 8))]
        types = [self.random.choice(TYPES) for _ in range(self.random.randint(1, 3))]
        body = self.query({"t": table}, types, self.random.randint(1, 4))
        return f"WITH t (a, b, s) AS (VALUES {', '.join(f'({row})' for row in rows)}) SELECT * FROM ({body}) AS q"


def compare(server, program, seed, count):
    generator = Generator(seed)
    queries = [generator.statement() for _ in range(count)]
    out = subprocess.run([program], input="\n".join(queries) + "\n", text=True, capture_output=True, check=True).stdout
    ours = [sorted(row.split("\x1f") for row in line.split("\x1e") if row) for line in out.removesuffix("\n").split("\n")]
    theirs = [sorted(rows) for rows in server.answers("".join(f"\\echo ~\n{query};\n" for query in queries), "NULL")]
    different = 0
    for query, here, there in zip(queries, ours, theirs, strict=True):
        if here == there:
            continue
        different += 1
        if different <= 10:
            print(f"{query}\n  here  {here}\n  there {there}")
    rows = sum(map(len, theirs))
    print(f"seed {seed}: {len(queries)} queries, {rows} rows, {different} differ")
    return different == 0 and rows >= count


if __name__ == "__main__":
    postgres.main(compare, 3000, LEFT_OUT)
