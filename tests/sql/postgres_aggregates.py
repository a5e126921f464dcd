#!/usr/bin/env python3
"""Compares aggregates with PostgreSQL 15: random calls over random rows, with DISTINCT, ORDER BY and FILTER.

PROGRAM is sql_aggregates. avg and sum of whole numbers have another type there: compared as numbers."""
import math

import postgres
from postgres_functions import array_text

# By the end of our error, and why.
REFUSED = {"(DISTINCT …) of double precision is not supported": "`DISTINCT` in sums and variances of doubles, which is refused"}


def number(text):
    try:
        return float(text)
    except ValueError:
        return None


def same(ours, theirs):
    if "." in theirs and theirs.rstrip("0").rstrip(".") == ours:  # zeros at the end are not kept here
        return True
    if theirs.startswith("{") and array_text("numeric[]", theirs) == ours:
        return True
    a, b = number(ours), number(theirs)
    if ours == theirs or a is None or b is None:
        return ours == theirs
    # Doubles are added up in another order; numerics have to be the same to the last digit.
    return ("e" in ours or len(ours) <= 18) and math.isclose(a, b, rel_tol=1e-12)


def compare(server, program, seed, count):
    (_, rows), *calls = postgres.lines_of(program, seed, count)
    calls = [(sql, ours) for _, sql, ours in calls if not ours.endswith(tuple(REFUSED))]
    theirs = server.values([f"(SELECT {sql} FROM t)" for sql, _ in calls], before="DROP TABLE IF EXISTS t;\n" + rows)
    different = 0
    for (sql, ours), value in zip(calls, theirs, strict=True):
        if same(ours, value):
            continue
        different += 1
        print(f"{sql}: {ours!r} here, {value!r} there")
    print(f"seed {seed}: {len(calls)} calls, {different} differ")
    return different == 0


if __name__ == "__main__":
    postgres.main(compare, 400, REFUSED.values())
