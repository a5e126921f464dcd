#!/usr/bin/env python3
"""Compares views over append-only streams with PostgreSQL 15: random queries over columns of every type, rows that come in any order.

PROGRAM is millrace. PostgreSQL says what each view has to show of the rows that are there; that becomes a file of query tests, which
`millrace test` runs under every schedule (partitions, workers, restarts, steps)."""
import json
import re

import postgres
from stream_queries import AGGREGATES, ALWAYS, COLUMNS, OF_COLUMN, PRELUDE, TIMES, VALUES, Queries, in_postgres

LEFT_OUT = ("rows that fail or come too late: PostgreSQL has no dead letters", "what is refused in views",
            "variances of doubles, whose last digits depend on the order", "SESSION and windows of rows", "`PROCTIME()`, `EMIT EVERY` and retention, which are about when")
# What the words of a query do not show: two expressions that are one, or none at all.
REFUSED = ("MR-SQL-0005: two keys of GROUPING SETS that are the same expression", "MR-SQL-0050: ")
MOST_REFUSED = 0.15  # of all cases
NULL = "\x02"


def shown(text):
    """As `millrace test` shows a value: JSON's quotes where it is not plain."""
    if text == NULL:
        return "null"
    bare = text and text != "null" and text == text.strip(" ") and not set(text) & set('(),"|\\\n\t#')
    return text if bare else json.dumps(text, ensure_ascii=False)


def literal(value, of_type):
    if value is None:
        return "NULL"
    if of_type.endswith("[]"):
        return f"ARRAY[{', '.join(literal(v, 'text') for v in value)}]::{of_type}"
    if of_type.startswith("row"):
        return f"ROW({literal(value['a'], 'integer')}, {literal(value['b'], 'text')})::pair"
    text = json.dumps(value) if of_type == "jsonb" or isinstance(value, bool) else str(value)
    return "'" + text.replace("'", "''") + "'"


def tuples(rows):
    return " ".join(f"({', '.join(row)})" for row in rows)


class Case:
    def __init__(self, queries):
        self.queries = queries
        self.random = queries.random
        self.ids = 0
        self.views = []  # name, text, its columns, whether it shows closed windows alone
        self.streams = {"t": self.columns()}
        if queries.chance(0.4):
            self.streams["u"] = {**self.columns(), **dict(list(self.streams["t"].items())[:6])}
        self.relations = {name: {c: OF_COLUMN.get(t, t) for c, t in columns.items()} for name, columns in self.streams.items()}

    def columns(self):
        return {**ALWAYS, **{name: COLUMNS[name] for name in self.random.sample(list(COLUMNS), self.random.randint(5, 10))}}

    def row(self, columns):
        self.ids += 1
        out = [None if self.queries.chance(0.2) else self.random.choice(VALUES[t]) for t in columns.values()]
        return [self.ids, None if self.queries.chance(0.1) else self.random.choice("abc"),
                None if self.queries.chance(0.05) else self.random.choice(TIMES) + "Z", *out[len(ALWAYS):]]

    def definitions(self):
        """Of the streams, and of what is derived from them: in our words, and in theirs."""
        ours, theirs = [], []
        for name, columns in self.streams.items():
            listed = ", ".join(f"{c} {t}" for c, t in columns.items())
            partitions = self.random.choice(["", "", f", partitions = {self.random.randint(1, 5)}"])
            ours.append(f"CREATE STREAM {name} ({listed}, WATERMARK FOR at AS at - INTERVAL '1 hour') WITH (key = 'k'{partitions});")
            theirs.append(f"CREATE TABLE {name} ({listed.replace('row<a integer, b text>', 'pair')});")
        if self.queries.chance(0.3):
            text, columns = self.queries.plain(*self.random.choice(list(self.relations.items())))
            ours.append(f"CREATE STREAM s AS {text};")
            theirs.append(view("s", text))
            self.relations["s"] = columns
        return ours, theirs

    def add_view(self):
        kind = self.random.random()
        name = f"v{len(self.views)}"
        closes = False
        if kind < 0.7:
            text, columns, windowed = self.queries.grouped(self.relations)
            # What a derived stream leaves out does not move its watermark.
            closes = windowed and self.queries.chance(0.3) and not re.search(r"FROM s\b|\(s,", text)
        elif kind < 0.8:
            text, columns = self.queries.distinct(*self.random.choice(list(self.relations.items())))
        elif kind < 0.9:
            text, columns = self.queries.together(self.relations)
        elif kind < 0.95 and self.views:
            inner, _, known, closes = self.random.choice(self.views)
            text, columns = self.queries.plain(inner, known)
            if not columns:
                text, columns = f"SELECT * FROM {inner}", known
        else:
            text, columns = self.queries.plain(*self.random.choice(list(self.relations.items())))
        own = closes and not text.split(" FROM ")[-1].startswith("v")
        self.views.append((name, text, columns, closes))
        return f"CREATE MATERIALIZED VIEW {name} AS {text}{' EMIT ON WINDOW CLOSE' if own else ''};", view(name, text)

    def ad_hoc(self):
        text, columns, _ = self.queries.grouped(self.relations)
        order = [f"{c}{'::text' if t in ('jsonb', 'other') else ''}{self.random.choice(['', ' DESC', ' NULLS FIRST'])}" for c, t in columns.items()]
        bound = self.random.choice(["", " LIMIT 3", " OFFSET 2", " LIMIT 4 OFFSET 1"])
        behind = f"({text}) AS q ORDER BY {', '.join(order)}{bound}"
        return f"query SELECT * FROM {behind};", f"SELECT {', '.join(f'ours({c})' for c in columns)} FROM {in_postgres(behind)};"

    def made(self, number):
        """What `millrace test` does, with a place for each answer, and PostgreSQL's script that gives them."""
        ours, theirs = self.definitions()
        ours.insert(0, f"== case {number}")
        theirs.insert(0, f"CREATE SCHEMA c{number}; SET search_path = c{number}, public;")
        waiting = [self.add_view() for _ in range(4)]
        pushes = self.random.randint(2, 4)
        for push in range(pushes):
            while waiting and (push == pushes - 1 or not self.queries.chance(0.2)):  # some are made when rows are there
                here, there = waiting.pop(0)
                ours.append(here)
                theirs.append(there)
            for name, columns in self.streams.items():
                rows = [self.row(columns) for _ in range(self.random.randint(1, 12))]
                ours.append(f"push {name} " + tuples([json.dumps(v, ensure_ascii=False) for v in row] for row in rows))
                theirs += (f"INSERT INTO {name} VALUES ({', '.join(literal(v, t) for v, t in zip(row, columns.values()))});" for row in rows)
            if self.queries.chance(0.2):
                ours.append("restart")
            if self.queries.chance(0.3) or push == pushes - 1:
                self.expect([v for v in self.views[:len(self.views) - len(waiting)] if not v[3]], ours, theirs)
        for _ in range(2):
            here, there = self.ad_hoc()
            ours += [here, "| ?"]
            theirs += ["\\echo ~", there]
        for name, columns in self.streams.items():
            ours += [f"push {name} ({', '.join(['0', 'null', chr(34) + '2003-05-07T12:00:00Z' + chr(34)] + ['null'] * (len(columns) - 3))})", f"advance {name}"]
        self.expect([v for v in self.views if v[3]], ours, theirs)
        return ours, theirs

    def expect(self, views, ours, theirs):
        for name, _, columns, _ in views:
            ours.append(f"expect {name} ?")
            theirs += ["\\echo ~", f"SELECT {', '.join(f'ours({c})' for c in columns)} FROM {name};"]


def view(name, text):
    return f"CREATE VIEW {name} AS {in_postgres(text)};"


def with_answers(lines, answers):
    out = []
    for line in lines:
        if line.endswith(" ?"):
            rows = [[shown(value) for value in row] for row in next(answers)]
            if line.startswith("|"):
                out += (f"| {' | '.join(row)}" for row in rows)
                continue
            line = f"{line.removesuffix(' ?')} {tuples(rows)}".rstrip()
        out.append(line)
    return "\n".join(out) + "\n\n"


def compare(server, program, seed, count):
    queries = Queries(seed)
    cases = [Case(queries).made(number) for number in range(count)]
    script = "".join(f"DROP SCHEMA IF EXISTS c{number} CASCADE;\n" for number in range(count))
    script += "DROP SCHEMA public CASCADE; CREATE SCHEMA public;\n" + PRELUDE + "\n".join(line for _, theirs in cases for line in theirs)
    answers = server.answers(script, NULL)
    left = iter(answers)
    text = "".join(with_answers(ours, left) for ours, _ in cases)
    different, refused = postgres.run_cases(program, text, REFUSED)
    print(f"seed {seed}: {count} cases, {len(answers)} answers of PostgreSQL, {sum(map(len, answers))} rows, {refused} refused, {different} differ")
    return different == 0 and refused <= MOST_REFUSED * count and len(answers) >= 4 * count


if __name__ == "__main__":
    postgres.main(compare, 40, LEFT_OUT)
