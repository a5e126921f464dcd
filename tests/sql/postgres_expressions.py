#!/usr/bin/env python3
"""Compares expressions and casts with PostgreSQL 15: random ones over every type, evaluated by both; types, too.

  postgres_expressions.py PROGRAM [SEED [COUNT]]     PROGRAM is sql_expressions

Ends with 77 (skipped) where PostgreSQL is not installed. docs/sql/reference.md lists what differs on purpose; what is
excused here and why stands in excuse()."""
import os
import re
import struct
import subprocess
import sys

from postgres_functions import BIN, SKIPPED, TIMES, TIMESTAMPS, Postgres, same


def value_sql(sql, result):
    if result in TIMESTAMPS:
        return f"to_char({sql}, '{TIMES}{TIMESTAMPS[result]}')"
    return f"({sql})::text"


def same_real(ours, theirs):
    try:
        return struct.pack("f", float(ours)) == struct.pack("f", float(theirs))
    except (ValueError, OverflowError):
        return False


def excuse(sql, result, ours, theirs):
    """Why a difference is none, or None."""
    if result == "real" and same_real(ours, theirs):
        return "the shortest text of a real: PostgreSQL takes none that lies midway between two"
    if ours == "MR-SQL-0104" or theirs.endswith(" BC"):
        return "a time beyond the years 0001 to 9999, perhaps on the way to the answer"
    if ours in ("MR-SQL-0102", "MR-SQL-0106") and theirs in ("NaN", "Infinity", "-Infinity"):
        return "a numeric is finite here"
    if not theirs.startswith("ERROR ") and re.search(r"null|->|\)\[", sql.lower()) and ours.startswith("MR-SQL-"):
        return "an operand is NULL, so PostgreSQL leaves the other one out"
    if theirs.startswith("ERROR ") and re.search(r"CASE|AND|OR|coalesce|IN \(", sql):
        return "a constant that no row needs: PostgreSQL may evaluate it all the same"
    if ours.startswith("MR-SQL-") and re.search(r" (AND|OR) ", sql):
        return "a condition that the other side decides: PostgreSQL looks at constants first, wherever they stand"
    return None


def main():
    if not os.path.exists(f"{BIN}/initdb"):
        print("skipped: postgresql-15 is not installed")
        return SKIPPED
    seed = sys.argv[2] if len(sys.argv) > 2 else "1"
    count = sys.argv[3] if len(sys.argv) > 3 else "6000"
    out = subprocess.run([sys.argv[1], seed, count], text=True, capture_output=True, check=True).stdout
    lines = [line.split("\t") for line in out.removesuffix("\n").split("\n")]
    with Postgres() as server:
        theirs = server.values(q for sql, result, _ in lines for q in (f"pg_typeof({sql})", value_sql(sql, result)))
    different = excused = 0
    for (sql, result, ours), of_type, value in zip(lines, theirs[::2], theirs[1::2], strict=True):
        if result in (of_type, "?") or of_type.startswith("ERROR "):
            if same(result, ours, value):
                continue
            if excuse(sql, result, ours, value):
                excused += 1
                continue
        different += 1
        print(f"{sql}: {result} {ours!r} here, {of_type} {value!r} there")
    print(f"seed {seed}: {len(lines)} expressions, {excused} excused, {different} differ")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
