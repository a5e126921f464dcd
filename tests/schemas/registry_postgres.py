#!/usr/bin/env python3
"""Runs the registry's tests of its store on PostgreSQL: registry_postgres.py PROGRAM

Ends with 77 (skipped) where PostgreSQL is not installed."""
import os
import subprocess
import sys

sys.path.insert(0, f"{os.path.dirname(os.path.abspath(__file__))}/../sql")
import postgres  # noqa: E402


def main():
    if not os.path.exists(postgres.BIN):
        return 1 if os.environ.get("MILLRACE_REQUIRE_POSTGRES") else postgres.SKIPPED
    with postgres.Postgres() as server:
        server.psql("".join(f"CREATE DATABASE {name};\n" for name in ("contract", "writers", "ended", "stopped", "pause", "frozen")))
        environment = dict(os.environ, MILLRACE_TEST_POSTGRES=f"host=127.0.0.1 port={server.port} user=postgres")
        return subprocess.run([sys.argv[1], "--gtest_filter=*Postgres*"], env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
