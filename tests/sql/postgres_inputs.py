#!/usr/bin/env python3
"""Compares the texts of dates, times and intervals with PostgreSQL 15: which are taken, and for what.

PROGRAM is sql_inputs; it says what inputs.txt is here. docs/sql/reference.md lists what differs on purpose."""
import os
import re

import postgres
from postgres_functions import TIMES, TIMESTAMPS, same

LIST = os.path.join(os.path.dirname(os.path.abspath(__file__)), "inputs.txt")
# Why a difference is none, and when: by text, our answer, theirs.
EXCUSES = {
    "a time beyond the years 0001 to 9999": lambda text, ours, theirs:
        ours.startswith("MR-") and (theirs.endswith(" BC") or re.match(r"\d{5}", theirs)),
    "Julian days, and ISO 8601's alternative form of an interval, which are not read here": lambda text, ours, _:
        ours.startswith("MR-") and re.match(r"J\d|P0", text),
    "the 366th day of a year that has none, which is refused": lambda text, ours, _:
        ours.startswith("MR-") and text.endswith("-366"),
}


def value_sql(of_type, text):
    literal = "'" + text.replace("'", "''") + f"'::{of_type}"
    if of_type in TIMESTAMPS:
        return f"to_char({literal}, '{TIMES}{TIMESTAMPS[of_type]}')||to_char({literal}, ' BC')"
    return f"({literal})::text"


def compare(server, program, _seed, _count):
    lines = postgres.lines_of(program, LIST)
    theirs = server.values(value_sql(of_type, text) for of_type, text, _ in lines)
    different = 0
    for (of_type, text, ours), value in zip(lines, theirs, strict=True):
        value = value.removesuffix(" AD")
        if same(of_type, ours.replace("MR-EVT-", "MR-SQL-"), value) or any(holds(text, ours, value) for holds in EXCUSES.values()):
            continue
        different += 1
        print(f"{of_type} {text!r}: {ours!r} here, {value!r} there")
    print(f"{len(lines)} texts, {different} differ")
    return different == 0


if __name__ == "__main__":
    postgres.main(compare, 1, EXCUSES)
