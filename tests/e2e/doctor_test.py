#!/usr/bin/env python3
"""`millrace doctor` beside a node that is not there yet, that runs, and that has stopped: what it says, and that it leaves
everything as it was."""
import json
import os
import re
import signal
import subprocess
import time

from harness import free_port, main

CHECKS = ["directory", "lock", "file system", "space", "sync", "open files", "memory", "cores", "huge pages", "clock", "address"]


def doctor(test, *arguments, code=0):
    began = time.monotonic()
    done = test.cli("doctor", *arguments, "--output", "json")
    assert time.monotonic() - began < 20, "it takes 5 s at most, on a machine that does nothing else"
    assert done.returncode == code and not done.stderr, done
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    for line in lines:
        assert list(line) == ["check", "status", "what", "hint"], line
        assert (line["status"] == "ok") == (not line["hint"]), line
    return {line["check"]: line for line in lines}


def before_the_first_start(test):
    directory = os.path.join(test.root, "not", "yet")
    at = ["--data", directory, "--http", f"127.0.0.1:{free_port()}"]
    found = doctor(test, *at)
    assert list(found) == CHECKS, found
    assert "fail" not in [line["status"] for line in found.values()], found
    assert found["directory"]["what"] == f"{directory} will be made in {test.root}", found
    assert re.search(r"p50 \d+\.\d+ ms, p99 .* max .*a durable answer takes at least", found["sync"]["what"]), found
    assert os.listdir(test.root) == [], "it left something"
    text = test.cli("doctor", *at).stdout.splitlines()
    assert [re.match(r"(?:ok  |warn)  (.{11})  \S", line)[1].strip() for line in text] == CHECKS, text


def beside_a_node(test):
    server = test.server().start()
    server.sql("CREATE STREAM s (id BIGINT)")
    server.produce("s", [{"id": 1}])
    at = ["--data", server.directory, "--http", f"127.0.0.1:{server.port}"]
    found = doctor(test, *at, code=1)
    assert [name for name, line in found.items() if line["status"] == "fail"] == ["lock", "address"], found
    assert "another process listens there" in found["address"]["hint"], found
    server.produce("s", [{"id": 2}])
    assert server.stop() == 0
    there = sorted(os.listdir(server.directory))
    found = doctor(test, *at)
    assert found["lock"]["what"] == "no node uses the directory now", found
    assert found["directory"]["what"].endswith(" holds a node's data"), found
    ends = re.search(r"the journal ends at (\S+ \S+) UTC", found["clock"]["what"])
    assert time.strftime("%Y-%m-%d %H:%M", time.gmtime(time.time() - 60)) <= ends[1], (found, ends)
    assert sorted(os.listdir(server.directory)) == there, "it left something"


def what_cannot_be(test):
    found = doctor(test, "--data", "/dev/null", "--http", "203.0.113.7:8080", code=1)
    assert found["directory"]["what"] == "/dev/null is no directory", found
    assert "sync" not in found and "no such address" in found["address"]["hint"], found
    kind = subprocess.run(["stat", "-f", "-c", "%T", "/dev/shm"], capture_output=True, text=True, check=False).stdout.strip()
    if kind == "tmpfs":
        found = doctor(test, "--data", "/dev/shm", "--http", "127.0.0.1:0")
        assert found["file system"]["status"] == "warn" and found["file system"]["what"] == "tmpfs", found


def what_a_kill_left(test):
    """Or what somebody put there: it is taken away, not written through."""
    precious = os.path.join(test.root, "precious")
    with open(precious, "w", encoding="ascii") as f:
        f.write("as it was")
    os.symlink(precious, os.path.join(test.root, ".millrace-doctor"))
    doctor(test, "--data", test.root, "--http", "127.0.0.1:0")
    assert os.listdir(test.root) == ["precious"]
    with open(precious, encoding="ascii") as f:
        assert f.read() == "as it was"


def an_interruption_leaves_nothing(test):
    """Whenever it comes."""
    interrupted = 0
    for number in range(12):
        process = subprocess.Popen([test.binary, "doctor", "--data", test.root, "--http", "127.0.0.1:0"],
                                   stdout=subprocess.DEVNULL)
        time.sleep(0.01 * number)
        process.send_signal(signal.SIGINT)
        interrupted += process.wait(20) == -signal.SIGINT
        assert os.listdir(test.root) == [], number
    assert interrupted > 0


if __name__ == "__main__":
    main([before_the_first_start, beside_a_node, what_cannot_be, what_a_kill_left, an_interruption_leaves_nothing])
