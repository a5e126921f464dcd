#!/usr/bin/env python3
"""Every function of docs/sql/functions.md with hard and random arguments, here and in a PostgreSQL 15 that it starts.

    tests/sql/postgres_functions.py --binary build/release/bin/millrace [--calls N] [NAME …]

An answer has to be the same text, an error an error. What PostgreSQL does not have, or has with other types, is skipped by name;
values stay within what "Other than PostgreSQL" in docs/sql/reference.md names.
"""
import argparse
import itertools
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
from harness import Refused, Server, free_port  # noqa: E402

POSTGRES = "/usr/lib/postgresql/15/bin"
# Of Flink, not of PostgreSQL; sha256 takes bytea there; to_hex has another width of negative numbers by type.
SKIPPED = {"regexp_extract", "split_index", "sha256", "like_escape", "coalesce", "nullif"}
# Their numbers are integers there.
INTEGERS = {"rpad", "lpad", "substr", "substring", "right", "left", "split_part", "repeat", "width_bucket", "chr"}
VALUES = {
    "text": ["''", "'a'", "'abc'", "'Straße ÉTÉ'", "'añ€😀'", "'a/b/c'", "' x '", "'%_'", "'hour'", "'day'", "'YYYY-MM-DD HH24:MI:SS'",
             "'i'", "'g'", "'[a-c]+'", "'(b)(c)'", "'/'", "'hh'", "'NaN'", "NULL"],
    "bigint": ["0", "1", "-1", "2", "3", "7", "-2", "64", "255", "-9", "8364", "9223372036854775807", "-9223372036854775807", "NULL"],
    "double precision": ["0.0", "'-0'", "1.0", "-1.0", "0.5", "-0.5", "1.5", "2.5", "-2.5", "42.4", "1e300", "-1e300", "1e-300", "710.0",
                         "'NaN'", "'Infinity'", "'-Infinity'", "NULL", "3.0", "100.0"],
    "timestamp with time zone": ["'1970-01-01T00:00:00Z'", "'2001-02-16T20:38:40.123456Z'", "'1969-12-31T23:59:59.999999Z'",
                                 "'2024-02-29T12:00:00Z'", "'2000-12-31T00:00:00Z'", "'1999-01-03T05:06:07Z'", "'0011-01-01T00:00:00Z'",
                                 "'2100-03-01T00:00:00Z'", "NULL"],
    "interval": ["'0'", "'1 day'", "'-1 day'", "'15 minutes'", "'1 month 2 days 03:04:05.678'", "'-3 years 5 months'", "'100 years'",
                 "'2 hours'", "'-02:47:33'", "NULL"],
    "boolean": ["true", "false", "NULL"],
}
UNITS = ["microseconds", "milliseconds", "second", "minute", "hour", "day", "week", "month", "quarter", "year", "decade", "century",
         "millennium", "epoch", "dow", "isodow", "doy", "isoyear", "julian"]
FORMATS = ["YYYY-MM-DD HH24:MI:SS.US", "Day DDth Month YYYY", "FMDay, FMDD FMMonth YYYY", "HH12:MI AM", "IYYY-IW-ID", "Q CC J DDD D WW W",
           "MON Mon DY Dy RM MS FF3 SSSS", '"at" HH24"h"', "YY YYY Y FMMM FMHH", "TZ TZH TZM OF"]


def signatures():
    with open(os.path.join(ROOT, "docs", "sql", "functions.md"), encoding="utf-8") as page:
        for line in page:
            cells = re.split(r"(?<!\\)\|", line)
            for name, arguments in re.findall(r"`(\w+)\(([^)]*)\) → [^`]*`", cells[1] if len(cells) > 3 else ""):
                yield name, [a.strip() for a in arguments.split(",") if a.strip()]


def typed(kind, value):
    if kind == "bigint":
        return f"CAST({value} AS BIGINT)"
    return f"CAST({value} AS {kind.upper()})"


def calls(name, arguments, count, draw):
    if "any" in arguments or "…" in arguments:
        pools = [VALUES["text"] if "text" in arguments and i == 0 else VALUES["bigint"] for i in range(3)]
        kinds = ["text" if "text" in arguments and i == 0 else "bigint" for i in range(3)]
    else:
        kinds = arguments
        pools = [[v for v in VALUES[kind] if name not in INTEGERS or kind != "bigint" or len(v) < 10] for kind in kinds]
        if name in ("date_trunc", "date_part", "extract"):
            pools[0] = [f"'{u}'" for u in UNITS]
        if name in ("regexp_like", "regexp_replace") and len(kinds) > (2 if name == "regexp_like" else 3):
            pools[-1] = ["'i'", "'g'", "'c'", "'ig'"] if name == "regexp_replace" else ["'i'", "'c'", "'ic'"]
        if name == "width_bucket":  # beyond, the last bit decides
            pools[:3] = [[v for v in VALUES[kinds[0]] if "300" not in v]] * 3
        if name == "repeat":
            pools[1] = [v for v in pools[1] if len(v) < 4]
        if name == "to_char":
            pools[1] = [f"'{f}'" for f in FORMATS]
    combinations = list(itertools.product(*pools))
    if len(combinations) > count:
        combinations = draw.sample(combinations, count)
    for values in combinations:
        parts = [typed(k, v) for k, v in zip(kinds, values)]
        if name == "extract":
            yield f"extract({values[0][1:-1]} FROM {parts[1]})"
        elif name == "position":
            yield f"position({parts[0]} IN {parts[1]})"
        else:
            yield f"{name}({', '.join(parts)})"


class Postgres:
    def __init__(self, directory):
        self.directory, self.port = directory, free_port()
        data = os.path.join(directory, "data")
        self.as_owner = []
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", "postgres", directory], check=True)
            self.as_owner = ["runuser", "-u", "postgres", "--"]
        subprocess.run([*self.as_owner, f"{POSTGRES}/initdb", "-D", data, "-A", "trust", "-U", "postgres", "-N", "--locale=C.UTF-8", "-E",
                        "UTF8"], check=True, stdout=subprocess.DEVNULL)
        self.process = subprocess.Popen([*self.as_owner, f"{POSTGRES}/postgres", "-D", data, "-c", "listen_addresses=127.0.0.1", "-p",
                                         str(self.port), "-c", f"unix_socket_directories={directory}", "-c", "timezone=UTC"],
                                        stderr=subprocess.DEVNULL)

    def answers(self, expressions):
        """The text of each, None for NULL, an Exception for an error."""
        text = "\\pset null '<null>'\n\\t on\n\\pset format unaligned\nSET extra_float_digits = 1;\n"
        for expression in expressions:
            text += f"\\echo <<\nSELECT ({expression});\n"
        for _ in range(100):
            done = subprocess.run(["psql", "-X", "-q", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-f", "-"], input=text,
                                  capture_output=True, text=True)
            if done.returncode != 2:
                break
            time.sleep(0.1)
        pieces = done.stdout.split("<<\n")[1:]
        assert len(pieces) == len(expressions), done.stderr[-1000:]
        return [RefusedThere() if p == "" else None if p == "<null>\n" else p[:-1] for p in pieces]

    def stop(self):
        self.process.terminate()
        self.process.wait()


class RefusedThere:
    def __repr__(self):
        return "an error"


def ours(server, expression):
    try:
        rows = server.sql(f"SELECT {expression} AS v")
    except Refused as refused:
        return refused
    return rows[0]["v"]


def same(mine, theirs):
    if isinstance(mine, Refused) or isinstance(theirs, RefusedThere):
        return isinstance(mine, Refused) and isinstance(theirs, RefusedThere)
    if mine is None or theirs is None:
        return mine is None and theirs is None
    if isinstance(mine, bool):
        return theirs == ("t" if mine else "f")
    if isinstance(mine, int):
        return float(theirs) == mine or theirs == str(mine)
    if isinstance(mine, float):
        return float(theirs) == mine
    if mine == theirs:
        return True
    if mine in ("NaN", "Infinity", "-Infinity"):
        return mine == theirs
    return instant(mine) is not None and instant(mine) == instant(theirs)


def instant(text):
    """2001-02-16T20:38:40.5Z and 2001-02-16 20:38:40.5+00 alike."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(\.\d+)?(Z|\+00)", text)
    return found and (found[1], found[2], (found[3] or "").rstrip("0"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default="build/release/bin/millrace")
    parser.add_argument("--calls", type=int, default=40, help="of a signature")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    seed = int(os.environ.get("MILLRACE_SEED", str(random.SystemRandom().randrange(1 << 32))))
    draw = random.Random(seed)
    different = compared = 0
    with tempfile.TemporaryDirectory(prefix="millrace-postgres-") as directory:
        os.chmod(directory, 0o755)
        os.mkdir(os.path.join(directory, "pg"))
        postgres = Postgres(os.path.join(directory, "pg"))
        server = Server(os.path.abspath(arguments.binary), os.path.join(directory, "data"))
        try:
            server.start()
            for name, types in signatures():
                if name in SKIPPED or (arguments.names and name not in arguments.names):
                    continue
                if name == "to_timestamp":
                    types = ["bigint"]  # there is no infinite time here
                expressions = list(calls(name, types, arguments.calls, draw))
                asked = [e.replace("AS BIGINT", "AS INTEGER") if name in INTEGERS else e for e in expressions]
                for expression, theirs in zip(expressions, postgres.answers(asked)):
                    mine = ours(server, expression)
                    compared += 1
                    if not same(mine, theirs):
                        different += 1
                        print(f"{expression}\n  here {mine!r}, PostgreSQL {theirs!r}")
        finally:
            server.kill()
            postgres.stop()
    print(f"{compared} calls compared, {different} different, seed {seed}")
    sys.exit(1 if different or not compared else 0)


if __name__ == "__main__":
    main()
