#!/usr/bin/env python3
"""Compares aggregates with PostgreSQL 15: random calls over random rows, with DISTINCT, ORDER BY and FILTER.

  postgres_aggregates.py PROGRAM [SEED [COUNT]]     PROGRAM is sql_aggregates

Ends with 77 (skipped) where PostgreSQL is not installed. avg and sum of whole numbers have another type there: compared as
numbers. Calls that are refused here on purpose stand in REFUSED."""
import math
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from postgres_functions import BIN, SKIPPED, Postgres  # noqa: E402

REFUSED = ("(DISTINCT …) of double precision is not supported",)


def number(text):
    try:
        return float(text)
    except ValueError:
        return None


def same(ours, theirs):
    if "." in theirs and theirs.rstrip("0").rstrip(".") == ours:  # zeros at the end are not kept here
        return True
    a, b = number(ours), number(theirs)
    if ours == theirs or a is None or b is None:
        return ours == theirs
    # Doubles are added up in another order; numerics have to be the same to the last digit.
    return len(ours) <= 18 and math.isclose(a, b, rel_tol=1e-12)


def main():
    if not os.path.exists(f"{BIN}/initdb"):
        print("skipped: postgresql-15 is not installed")
        return SKIPPED
    seed = sys.argv[2] if len(sys.argv) > 2 else "1"
    count = sys.argv[3] if len(sys.argv) > 3 else "400"
    out = subprocess.run([sys.argv[1], seed, count], text=True, capture_output=True, check=True).stdout
    lines = [line.split("\t") for line in out.removesuffix("\n").split("\n")]
    rows, calls = lines[0][1], [line[1:] for line in lines[1:]]
    calls = [call for call in calls if not call[1].endswith(REFUSED)]
    with Postgres() as server:
        theirs = server.values([f"(SELECT {sql} FROM t)" for sql, _ in calls], before=rows)
    different = 0
    for (sql, ours), value in zip(calls, theirs, strict=True):
        if same(ours, value):
            continue
        different += 1
        print(f"{sql}: {ours!r} here, {value!r} there")
    print(f"seed {seed}: {len(calls)} calls, {different} differ")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
