"""What the comparisons with PostgreSQL 15 share: a server of their own, and how each of them runs.

  postgres_NAME.py PROGRAM [SEED [COUNT]] [--seeds A..B]

Ends with 77 (skipped) where PostgreSQL is not installed, or with 1 where MILLRACE_REQUIRE_POSTGRES is set. docs/sql/postgresql.md lists
what each leaves out: the same as the script does, or it fails."""
import argparse
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
PAGE = f"{os.path.dirname(os.path.abspath(__file__))}/../../docs/sql/postgresql.md"
# Catches the error of one call, so that the others go on.
EVALUATE = """CREATE OR REPLACE FUNCTION value_of(q text) RETURNS text LANGUAGE plpgsql AS $$
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
        settings = f"-c listen_addresses=127.0.0.1 -c port={self.port} -c unix_socket_directories={self.folder} -c timezone=UTC -c fsync=off"
        self.run(f"{BIN}/pg_ctl", "-D", self.data, "-w", "-s", "-l", f"{self.folder}/log", "-o", settings, "start")
        return self

    def __exit__(self, *_):
        self.run(f"{BIN}/pg_ctl", "-D", self.data, "-s", "-m", "fast", "stop")
        shutil.rmtree(self.folder)

    def psql(self, script, *options):
        out = subprocess.run([f"{BIN}/psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-X", "-q", "-A", "-t",
                              *options], input=script, text=True, capture_output=True, check=True)
        if out.stderr:
            raise SystemExit("PostgreSQL refuses a query:\n" + out.stderr[:2000])
        return out.stdout

    def values(self, expressions, before=""):
        quoted = [e.replace("'", "''") for e in expressions]
        script = "SET client_min_messages = error;\n" + EVALUATE + before + "\n".join(f"SELECT value_of('{q}');" for q in quoted)
        return self.psql(script, "-v", "ON_ERROR_STOP=1").removesuffix("\n").split("\n")

    def answers(self, script, null):
        """The rows, lists of texts, of each query behind a line `\\echo ~`."""
        out = self.psql("SET client_min_messages = error;\n" + script, "-P", f"null={null}", "-F", "\x1f")
        return [[row.split("\x1f") for row in part.split("\n")[:-1]] for part in out.split("~\n")[1:]]


def lines_of(program, *arguments):
    """What a program of the tests prints: a line a case, its fields between tabs."""
    out = subprocess.run([program, *map(str, arguments)], text=True, capture_output=True, check=True).stdout
    return [line.split("\t") for line in out.removesuffix("\n").split("\n")]


def run_cases(program, text, refused=()):
    """Runs a file of cases by `millrace test`, under every schedule, and prints what differs: how many cases do, and how many have a
    statement that is refused with one of these."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/made.test"
        with open(path, "w") as file:
            file.write("# Made by a comparison with PostgreSQL.\n\n" + text)
        out = subprocess.run([program, "test", path], text=True, capture_output=True)
    failures = re.findall(r"^\S*made\.test:\d+: .*?schedule \S+$", out.stdout, re.MULTILINE | re.DOTALL)
    if out.returncode != 0 and not failures:
        raise SystemExit(out.stdout + out.stderr)
    different = [failure for failure in failures if not any(error in failure for error in refused)]
    for failure in different[:10]:
        title = re.search(r'in the case "(.*)", schedule', failure)[1]
        print(failure + "\n\n" + next(case for case in text.split("\n\n") if case.startswith(f"== {title}\n")))
    return len(different), len(failures) - len(different)


def left_out(script):
    """What the page says that a script leaves out."""
    with open(PAGE) as page:
        sections = re.split(r"^## ", page.read(), flags=re.MULTILINE)
    return [line for section in sections if f"`{script}`" in section for line in re.findall(r"^- (.*)$", section, re.MULTILINE)]


def main(compare, count, reasons):
    """Ends the process. compare(server, program, seed, count) prints what differs, and says whether nothing does."""
    options = argparse.ArgumentParser()
    options.add_argument("program")
    options.add_argument("seed", nargs="?", type=int, default=1)
    options.add_argument("count", nargs="?", type=int, default=count)
    options.add_argument("--seeds", help="A..B: these, one after the other")
    options = options.parse_args()
    script = os.path.basename(sys.argv[0]).removesuffix(".py")
    if sorted(reasons) != sorted(left_out(script)):
        sys.exit(f"docs/sql/postgresql.md lists something else for {script} than the script leaves out: "
                 f"{sorted(set(reasons) ^ set(left_out(script)))}")
    if not os.path.exists(f"{BIN}/initdb"):
        print("postgresql-15 is not installed")
        sys.exit(1 if os.environ.get("MILLRACE_REQUIRE_POSTGRES") else SKIPPED)
    first, last = map(int, options.seeds.split("..")) if options.seeds else (options.seed, options.seed)
    with Postgres() as server:
        fine = [compare(server, options.program, seed, options.count) for seed in range(first, last + 1)]
    sys.exit(0 if all(fine) else 1)
