"""A full disk: writes are refused by a code, reads go on, and nothing that was answered is lost."""
import contextlib
import os
import subprocess

from harness import Refused

MORE_THAN_THERE_IS = ["--reserve-mb", "100000000"]


def refused_with(code, call):
    try:
        call()
    except Refused as refused:
        assert refused.status == 503 and refused.problem["code"] == code and refused.problem["hint"], refused
        assert int(refused.headers["Retry-After"]) >= 1
        return
    raise AssertionError(f"{code} is not given")


def reads_go_on(server, events):
    refused_with("MR-LOG-0004", lambda: server.call("GET", "/readyz"))
    assert len(server.events("s")) == events
    assert sum(row["n"] for row in server.sql("SELECT n FROM v")) == events
    assert server.metric("millrace_journal_disk_low") == 1


def less_free_than_the_reserve(test):
    """A restart below the reserve: everything is there to read, nothing is taken in, and then it goes on."""
    server = test.server(options=["--segment-mb", "8"]).start()
    server.sql("""CREATE STREAM s (id BIGINT, pad TEXT);
        CREATE MATERIALIZED VIEW v AS SELECT pad, count(*) AS n FROM s GROUP BY pad""")
    server.produce("s", [{"id": 0}])
    server.kill()
    server.options += MORE_THAN_THERE_IS
    server.start(until="/livez")
    refused_with("MR-LOG-0004", lambda: server.produce("s", [{"id": 1}]))
    reads_go_on(server, 1)
    done = test.cli("produce", "--server", server.url, "--retry-seconds", "0", "s", stdin='{"id":1}\n')
    assert done.returncode == 1 and "MR-LOG-0004" in done.stderr and "hint: free" in done.stderr, done
    assert server.stop() == 0
    server.options = server.options[:2]
    server.start()
    assert server.produce("s", [{"id": 1}])["accepted"] == 1
    assert [e["id"] for e in server.events("s")] == [0, 1]
    assert server.stop() == 0


def an_empty_directory_below_the_reserve(test):
    directory = os.path.join(test.root, "new")
    done = test.cli("serve", "--data", directory, "--http", "127.0.0.1:0", *MORE_THAN_THERE_IS, timeout=30)
    assert done.returncode == 1 and "MR-LOG-0004" in done.stderr and "hint: " in done.stderr, done


def fill(server, taken):
    """Events from `taken` on until the disk is full; how many there are then."""
    with contextlib.suppress(Refused):
        while taken < 100_000:
            answer = server.produce("s", [{"id": taken + i, "pad": "x" * 1000} for i in range(100)])
            assert answer["accepted"] == 100
            taken += 100
    refused_with("MR-LOG-0004", lambda: server.produce("s", [{"id": -1}]))
    return taken


@contextlib.contextmanager
def small_disk(test, mib):
    """A file system of its own, for who may mount one; else None."""
    path = os.path.join(test.root, "small")
    os.mkdir(path)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", path]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        yield None
        return
    try:
        yield path
    finally:
        for server in test.servers:
            server.kill()
        subprocess.run(["umount", path], check=True)


def a_disk_that_runs_full(test):
    """Fed until it refuses; killed while full, and again with not a byte left; then room is made."""
    with small_disk(test, 64) as disk:
        if disk is None:
            print("      (needs root: the reserve alone is tested)")
            return
        server = test.server("small/data", options=["--segment-mb", "8", "--reserve-mb", "16"])
        server.log = os.path.join(test.root, "small.log")
        server.start()
        server.sql("""CREATE STREAM s (id BIGINT, pad TEXT);
            CREATE MATERIALIZED VIEW v AS SELECT pad, count(*) AS n FROM s GROUP BY pad""")
        taken = fill(server, 0)
        assert taken > 10_000
        for _ in range(2):
            reads_go_on(server, taken)
            server.kill()
            server.start(until="/livez")
            taken = fill(server, taken)
        server.sql("CREATE STREAM made_while_full (id BIGINT)")  # the reserve is for this
        with open(os.path.join(disk, "other"), "wb", buffering=0) as f, contextlib.suppress(OSError):
            while f.write(bytes(4096)) == 4096:
                pass
        refused_with("MR-LOG-0004", lambda: server.produce("s", [{"id": -1}]))
        reads_go_on(server, taken)
        server.kill()
        server.start(until="/livez")
        reads_go_on(server, taken)
        server.kill()
        os.remove(os.path.join(disk, "other"))
        server.options[3] = "1"
        server.start()
        ids = [e["id"] for e in server.events("s")]
        assert ids == list(range(taken)), "what was answered is not what is there"
        assert "made_while_full" in [row["name"] for row in server.sql("SHOW STREAMS")]
        assert server.stop() == 0
        test.verify()


TESTS = [less_free_than_the_reserve, an_empty_directory_below_the_reserve, a_disk_that_runs_full]
