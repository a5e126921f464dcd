#!/usr/bin/env python3
"""Compares the function table with PostgreSQL 15: random calls of every signature, evaluated by both.

  postgres_functions.py PROGRAM [SEED [COUNT]]     PROGRAM is sql_function_calls

Ends with 77 (skipped) where PostgreSQL is not installed. docs/sql/reference.md lists what differs on purpose; what is
left out here and why stands in EXCLUDED and in excuse()."""
import math
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import tempfile

BIN = "/usr/lib/postgresql/15/bin"
SKIPPED = 77
# Ours, or Flink's: PostgreSQL has no function of that name. Its jsonb_build_object takes no jsonb as a name: the binder
# makes one of every argument here. The text of similar_to_escape is another there, what it matches is compared by postgres_aggregates.py.
EXCLUDED = {"split_index", "regexp_extract", "jsonb_build_object", "to_precision",
            "similar_to_escape", "json_value", "json_query", "json_exists"}
# Written in another way there.
SPELLED = {
    **{f"sha{n}": f"encode(sha{n}(convert_to({{0}}, 'UTF8')), 'hex')" for n in (224, 256, 384, 512)},
    "jsonb_pretty": "replace(jsonb_pretty({0}), chr(10), '|')",  # a line an answer
    "extract": "date_part({0})",  # extract answers numeric
    "position": "pg_catalog.position({swapped})",  # the plain call has its arguments the other way round
}
# Their texts here: RFC 3339.
# With marks for the arguments: an array's function that is written as an operator.
OPERATORS = {
    "array": "ARRAY[{all}]",
    "array_element": "({0})[{1}]",
    "array_slice": "({0})[{1}:{2}]",
    "jsonb_delete_names": "{0} - {1}",
    "jsonb_at": "{0} #> {1}",
    "jsonb_at_text": "{0} #>> {1}",
    "array_any": "{1} {op} ANY ({2})",
    "array_all": "{1} {op} ALL ({2})",
}
ARGUMENT = re.compile(r"(?:'(?:[^']|'')*'|NULL)::[a-z ]+(?:\[\])?")
TIMES = 'YYYY-MM-DD"T"HH24:MI:SS.US'
TIMESTAMPS = {"timestamp with time zone": '"Z"', "timestamp without time zone": ""}
INTEGERS = {"left", "right", "repeat", "lpad", "rpad", "substr", "substring", "overlay", "get_byte", "set_byte", "split_part", "chr", "width_bucket", "make_date", "jsonb_delete",
            "jsonb_array_element", "jsonb_array_element_text", "round", "trunc"}
# Catches the error of one call, so that the others go on.
EVALUATE = """CREATE FUNCTION value_of(q text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE r text; BEGIN EXECUTE 'SELECT (' || q || ')' INTO r; RETURN coalesce(r, 'NULL');
EXCEPTION WHEN OTHERS THEN RETURN 'ERROR ' || SQLERRM; END $$;"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Postgres:
    """A server of its own in a temporary folder; letters by Unicode, order by bytes."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="millrace-postgres-")
        self.prefix = []
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.prefix = ["runuser", "-u", "postgres", "--"]
        self.data = f"{self.folder}/data"
        self.port = free_port()

    def run(self, *command, **options):
        return subprocess.run([*self.prefix, *command], check=True, cwd=self.folder, **options)

    def __enter__(self):
        quiet = {"stdout": subprocess.DEVNULL}
        self.run(f"{BIN}/initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "-N", "--locale=C.UTF-8",
                 "--lc-collate=C", "-E", "UTF8", **quiet)
        settings = f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories={self.folder} -c timezone=UTC"
        self.run(f"{BIN}/pg_ctl", "-D", self.data, "-w", "-s", "-l", f"{self.folder}/log", "-o", settings, "start")
        return self

    def __exit__(self, *_):
        self.run(f"{BIN}/pg_ctl", "-D", self.data, "-s", "-m", "fast", "stop")
        shutil.rmtree(self.folder)

    def values(self, expressions, before=""):
        quoted = [e.replace("'", "''") for e in expressions]
        script = EVALUATE + before + "\n".join(f"SELECT value_of('{q}');" for q in quoted)
        out = subprocess.run([f"{BIN}/psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-X", "-q", "-A", "-t",
                              "-v", "ON_ERROR_STOP=1"], input=script, text=True, capture_output=True, check=True).stdout
        return out.removesuffix("\n").split("\n")


def sql_for(name, result, args):
    if name in INTEGERS:
        args = args.replace("::bigint", "::int")
    if name in OPERATORS:
        parts = ARGUMENT.findall(args)
        call = OPERATORS[name].format(*parts, all=args, op=parts[0].removesuffix("::text").strip("'"))
        return f"to_char({call}, '{TIMES}{TIMESTAMPS[result]}')" if result in TIMESTAMPS else f"({call})::text"
    parts = re.split(r"(?<=text), (?=')|(?<=text), (?=NULL)", args)
    spelled = {} if result == "bytea" else SPELLED  # a digest of bytes is PostgreSQL's own
    call = spelled.get(name, name + "({0})").format(args, swapped=", ".join(reversed(parts)))
    if result in TIMESTAMPS:
        return f"to_char({call}, '{TIMES}{TIMESTAMPS[result]}')"
    return f"({call})::text"


def array_text(result, text):
    """As it is printed here: RFC 3339 in UTC, and numerics without needless zeros."""
    if result.startswith("timestamp"):
        zone = "Z" if "with time zone" in result else ""
        return re.sub(r'"([^" ]+) ([^"+]+)(?:\+00)?"', rf"\1T\2{zone}", text)
    return re.sub(r"(\.\d*?)0+(?=[,}])", r"\1", text).replace(".,", ",").replace(".}", "}") if "numeric" in result else text


def same(result, ours, theirs):
    if theirs.startswith("ERROR ") and "does not exist" not in theirs:
        return ours.startswith("MR-SQL-")
    if result in TIMESTAMPS and "." in theirs:
        theirs = re.sub(r"\.?0*(Z?)$", r"\1", theirs)
    if result.endswith("[]"):
        theirs = array_text(result, theirs)
    if result == "numeric" and "." in theirs:  # zeros at the end are not kept here
        theirs = theirs.rstrip("0").rstrip(".")
    if ours == theirs:
        return True
    if result != "double precision" or "NULL" in (ours, theirs) or ours.startswith("MR-"):
        return False
    # The last digit of a power or a logarithm may differ: the compiler and the library choose.
    return math.isclose(float(ours), float(theirs), rel_tol=4e-16)


def excuse(name, args, ours, theirs):
    """Why a difference is none, or None."""
    if name in ("date_trunc", "date_bin", "timezone") and ours == "MR-SQL-0104":
        return "the answer is before the year 1 or after the year 9999"
    if name == "make_date" and ours == "MR-SQL-0120" and theirs.endswith(" BC"):
        return "the answer is before the year 1"
    if name == "to_jsonb" and "+00:00" in theirs and ours == theirs.replace("+00:00", "Z"):
        return "a timestamp as text: RFC 3339 in UTC"
    if name in ("array_any", "array_all") and "::jsonb[]" in args and ours == "MR-SQL-0120":
        return "jsonb has no order here"
    if name == "array_to_string" and "timestamp" in args and ours == re.sub(r"(-\d\d) (\d\d:)", r"\1T\2", theirs).replace("+00", "Z"):
        return "a timestamp as text: RFC 3339 in UTC"
    if name.startswith("array") and ours == re.sub(r"-0(?=[,}])", "0", theirs):
        return "an array holds 0 for -0"
    if name == "width_bucket" and re.search(rf"'{ours}'::bigint$", args):
        return "the number is below the last bucket's end, but PostgreSQL's rounding, or its overflow, carries it over"
    return None


def main():
    if not os.path.exists(f"{BIN}/initdb"):
        print("skipped: postgresql-15 is not installed")
        return SKIPPED
    seed = sys.argv[2] if len(sys.argv) > 2 else "1"
    count = sys.argv[3] if len(sys.argv) > 3 else "60"
    lines = subprocess.run([sys.argv[1], seed, count], text=True, capture_output=True, check=True).stdout.removesuffix("\n").split("\n")
    calls = [line.split("\t") for line in lines]
    calls = [call for call in calls if call[0] not in EXCLUDED]
    with Postgres() as server:
        theirs = server.values(sql_for(name, result, args) for name, result, args, _ in calls)
    if len(theirs) != len(calls):
        print(f"{len(calls)} calls, {len(theirs)} answers")
        return 1
    different = 0
    for (name, result, args, ours), value in zip(calls, theirs):
        if same(result, ours, value) or excuse(name, args, ours, value):
            continue
        different += 1
        print(f"{name}({args}): {ours!r} here, {value!r} there")
    print(f"seed {seed}: {len(calls)} calls of {len({call[0] for call in calls})} functions, {different} differ")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
