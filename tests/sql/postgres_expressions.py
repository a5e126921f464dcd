#!/usr/bin/env python3
"""Compares expressions and casts with PostgreSQL 15: random ones over every type, evaluated by both; types, too.

PROGRAM is sql_expressions. docs/sql/reference.md lists what differs on purpose."""
import math
import re
import struct

import postgres
from postgres_functions import TIMES, TIMESTAMPS, is_longer, same

PAIR = "row<a integer, b text>"  # a named type there
MOST_EXCUSED = 0.03  # of all expressions: more would say that it is a difference that is excused


def value_sql(sql, result):
    if result in TIMESTAMPS:
        return f"to_char({sql}, '{TIMES}{TIMESTAMPS[result]}')"
    return f"({sql})::text"


def same_real(ours, theirs):
    try:
        return struct.pack("f", float(ours)) == struct.pack("f", float(theirs))
    except (ValueError, OverflowError):
        return False


def close(ours, theirs):
    """Numbers, or arrays of them."""
    if ours.startswith("{") and theirs.startswith("{"):
        pairs = list(zip(ours.strip("{}").split(","), theirs.strip("{}").split(",")))
        return ours.count(",") == theirs.count(",") and all(a == b or close(a, b) for a, b in pairs)
    try:
        return math.isclose(float(ours), float(theirs), rel_tol=1e-15)
    except ValueError:
        return False


# Why a difference is none, and when: by the expression, its type, our answer, theirs.
EXCUSES = {
    "the shortest text of a real: PostgreSQL takes none that lies midway between two": lambda _, result, ours, theirs:
        result == "real" and same_real(ours, theirs),
    "a time beyond the years 0001 to 9999, perhaps on the way to the answer": lambda _, __, ours, theirs:
        ours == "MR-SQL-0104" or theirs.endswith((" BC", "infinity")) and ours.startswith("MR-SQL-"),
    "NaN and infinities of numeric, which is finite here": lambda sql, _, ours, __:
        ours in ("MR-SQL-0102", "MR-SQL-0106") and re.search("NaN|Infinity", sql) and "::numeric" in sql,
    "the digits of a quotient, a root, a power or a logarithm of numerics with zeros at the end, which are not kept here": lambda sql, result, ours, theirs:
        result in ("numeric", "numeric[]") and re.search(r"/.*(/|%|\d\.\d*0\b)|\^|sqrt|ln|exp|log|power", sql) and close(ours, theirs),
    "a numeric of more than 1,000 digits": lambda _, __, ours, theirs: is_longer(ours, theirs),
    "an operand that fails beside a NULL, which PostgreSQL leaves out": lambda sql, _, ours, theirs:
        not theirs.startswith("ERROR ") and re.search(r"null|->|#>|\)\[", sql.lower()) and ours.startswith("MR-SQL-"),
    "a constant that fails and that no row needs: PostgreSQL may evaluate it all the same": lambda sql, _, __, theirs:
        theirs.startswith("ERROR ") and re.search(r"CASE|AND|OR|coalesce|IN \(", sql),
    "a condition that fails and that the other side of AND or OR decides: PostgreSQL looks at constants first, wherever they stand":
        lambda sql, _, ours, __: ours.startswith("MR-SQL-") and re.search(r" (AND|OR) ", sql),
}


def compare(server, program, seed, count):
    lines = postgres.lines_of(program, seed, count)
    there = [(sql.replace(PAIR, "pair"), result) for sql, result, _ in lines]
    theirs = server.values((q for sql, result in there for q in (f"pg_typeof({sql})", value_sql(sql, result))),
                           before="DROP TYPE IF EXISTS pair; CREATE TYPE pair AS (a integer, b text);\n")
    different = excused = 0
    for (sql, result, ours), of_type, value in zip(lines, theirs[::2], theirs[1::2], strict=True):
        if result.replace(PAIR, "pair") in (of_type, "?") or of_type.startswith("ERROR "):
            if same(result, ours, value):
                continue
            if any(holds(sql, result, ours, value) for holds in EXCUSES.values()):
                excused += 1
                continue
        different += 1
        print(f"{sql}: {result} {ours!r} here, {of_type} {value!r} there")
    print(f"seed {seed}: {len(lines)} expressions, {excused} excused, {different} differ")
    return different == 0 and excused <= MOST_EXCUSED * len(lines)


if __name__ == "__main__":
    postgres.main(compare, 6000, EXCUSES)
