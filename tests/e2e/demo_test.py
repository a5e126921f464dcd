#!/usr/bin/env python3
"""`millrace demo`: what it makes, sends and drops, and what it leaves alone."""
import os
import signal
import time

from harness import free_port, main
from terminal import Terminal

NAMES = ["demo_best_sellers", "demo_large_orders", "demo_orders", "demo_sales_per_minute", "demo_visitors_now", "demo_visits"]


def names(server):
    there = [row["name"] for statement in ("SHOW STREAMS", "SHOW VIEWS") for row in server.sql(statement)]
    return sorted(name for name in there if name.startswith("demo_"))


def makes_sends_and_cleans(test):
    server = test.server().start()
    at = ["--server", server.url]
    done = test.cli("demo", *at, "--rate", "500", "--duration", "2s")
    assert done.returncode == 0 and "rejected" not in done.stdout, done
    assert "made      demo_visits" in done.stdout and "millrace sql --server" in done.stdout, done.stdout
    assert names(server) == NAMES
    visits, orders = server.events("demo_visits"), server.events("demo_orders")
    assert 600 < len(visits) + len(orders) < 1400 and len(orders) > 20, (len(visits), len(orders))
    assert f"{len(visits) + len(orders)} events sent" in done.stdout, done.stdout
    deadline = time.monotonic() + 20
    while sum(row["orders"] for row in server.sql("SELECT orders FROM demo_best_sellers")) != len(orders):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    # What the demo names is there to be tried.
    for line in done.stdout.splitlines():
        if line.startswith("    SELECT"):
            assert server.sql(line.strip().rstrip(";")) is not None
    again = test.cli("demo", *at, "--duration", "200ms")
    assert again.returncode == 0 and "is there  demo_visits" in again.stdout, again
    clean = test.cli("demo", *at, "--clean")
    assert clean.returncode == 0 and clean.stdout.count("dropped") == len(NAMES) and names(server) == [], clean
    again = test.cli("demo", *at, "--clean")
    assert again.returncode == 0 and again.stdout == f"there is nothing of the demo's on {at[1]}\n", again


def the_same_for_the_same_seed(test):
    server = test.server().start()
    told = []
    for _ in range(2):
        assert test.cli("demo", "--server", server.url, "--rate", "300", "--seed", "7", "--duration", "500ms").returncode == 0
        told.append([(e["id"], e["product"], e["quantity"]) for e in sorted(server.events("demo_orders"), key=lambda e: e["id"])])
        assert test.cli("demo", "--server", server.url, "--clean").returncode == 0
    shorter = min(len(events) for events in told)
    assert shorter > 3 and told[0][:shorter] == told[1][:shorter], told


def leaves_others_things_alone(test):
    server = test.server().start()
    server.sql("CREATE STREAM demo_orders (mine TEXT)")
    for arguments in (["--duration", "1s"], ["--clean"]):
        done = test.cli("demo", "--server", server.url, *arguments)
        assert done.returncode == 1 and "MR-CLI-0017: demo_orders is there" in done.stderr, done
        assert names(server) == ["demo_orders"]


def a_server_of_its_own(test):
    """Ctrl-C ends both, and the directory is gone; an address that is taken is said."""
    url = f"http://127.0.0.1:{free_port()}"
    terminal = Terminal([test.binary, "demo", "--serve", "--server", url], env={"TMPDIR": test.root})
    directory = terminal.expect(r"its data in (\S+) until")[1]
    terminal.expect(r"\d+ events sent, 20 a second")
    assert directory.startswith(test.root) and os.path.isdir(directory)
    taken = test.cli("demo", "--serve", "--server", url, "--duration", "1s")
    assert taken.returncode == 1 and "MR-CLI-0018" in taken.stderr and taken.stderr.count("error ") == 1, taken
    terminal.send("\x03")
    assert terminal.ends() == 0 and not os.path.exists(directory), terminal.shown
    assert "demo --clean" not in terminal.shown
    terminal.close()
    assert test.cli("sql", "--server", url, "-c", "SELECT 1").returncode == 3


def interrupted(test):
    server = test.server().start()
    terminal = Terminal([test.binary, "demo", "--server", server.url])
    terminal.expect("events sent,")
    os.kill(terminal.process.pid, signal.SIGTERM)
    assert terminal.ends() == 0 and "millrace demo --clean drops them" in terminal.shown, terminal.shown
    terminal.close()


if __name__ == "__main__":
    main([makes_sends_and_cleans, the_same_for_the_same_seed, leaves_others_things_alone, a_server_of_its_own, interrupted])
