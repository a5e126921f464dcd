#!/usr/bin/env python3
"""Compares the texts of dates, times and intervals with PostgreSQL 15: which are taken, and for what.

  postgres_inputs.py PROGRAM     PROGRAM is sql_inputs

Ends with 77 (skipped) where PostgreSQL is not installed. docs/sql/reference.md lists what differs on purpose; what is
excused here and why stands in excuse()."""
import os
import re
import subprocess
import sys

from postgres_functions import BIN, SKIPPED, TIMES, TIMESTAMPS, Postgres, same

LIST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "inputs.txt")


def value_sql(of_type, text):
    literal = "'" + text.replace("'", "''") + f"'::{of_type}"
    if of_type in TIMESTAMPS:
        return f"to_char({literal}, '{TIMES}{TIMESTAMPS[of_type]}')||to_char({literal}, ' BC')"
    return f"({literal})::text"


def excuse(of_type, text, ours, theirs):
    """Why a difference is none, or None."""
    if ours.startswith("MR-") and (theirs.endswith(" BC") or re.match(r"\d{5}", theirs)):
        return "beyond the years 0001 to 9999"
    if ours.startswith("MR-") and re.match(r"J\d|P0", text):
        return "a Julian day, or ISO 8601's alternative form of an interval: not read here"
    if ours.startswith("MR-") and text.endswith("-366"):
        return "the last day of a leap year in another: PostgreSQL's is the first of the next"
    return None


def main():
    if not os.path.exists(f"{BIN}/initdb"):
        print("skipped: postgresql-15 is not installed")
        return SKIPPED
    out = subprocess.run([sys.argv[1], LIST], text=True, capture_output=True, check=True).stdout
    lines = [line.split("\t") for line in out.removesuffix("\n").split("\n")]
    with Postgres() as server:
        theirs = server.values(value_sql(of_type, text) for of_type, text, _ in lines)
    different = excused = 0
    for (of_type, text, ours), value in zip(lines, theirs, strict=True):
        value = value.removesuffix(" AD")
        if same(of_type, ours.replace("MR-EVT-", "MR-SQL-"), value):
            continue
        if excuse(of_type, text, ours, value):
            excused += 1
            continue
        different += 1
        print(f"{of_type} {text!r}: {ours!r} here, {value!r} there")
    print(f"{len(lines)} texts, {excused} excused, {different} differ")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
