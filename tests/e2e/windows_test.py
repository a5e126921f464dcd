#!/usr/bin/env python3
"""Replays real events and compares every window with an independent computation: one worker and two, four partitions,
by the stream's key and by another column; then views made over the history, a clean restart, and verification."""
import glob
import os
import sqlite3

import replay
from harness import main


def run(test, workers):
    server = test.server(workers=workers).start()
    replay.define(server)
    for stream, lines, key in replay.batches():
        answer = server.produce(stream, lines, key)
        assert answer["accepted"] == len(lines) and not answer["rejected"], answer
    replay.check_answers(server)
    for name in replay.VIEWS:
        replay.check_late_view(server, name)
    assert server.stop() == 0
    server.start()
    replay.check_answers(server)
    assert server.stop() == 0
    return server


def one_worker(test):
    run(test, 1)


def two_workers(test):
    run(test, 2)


def verification_sees_a_changed_definition(test):
    """What is derived no longer follows from what is defined: recomputing must say so."""
    server = run(test, 1)
    server.check_verify()
    server.spoiled = True
    database = next(path for path in glob.glob(os.path.join(server.directory, "**"), recursive=True)
                    if os.path.isfile(path) and open(path, "rb").read(15) == b"SQLite format 3")
    with sqlite3.connect(database) as store:
        changed = store.execute("UPDATE definitions SET sql = replace(sql, '4.5', '4.4') WHERE sql LIKE '%4.5%'")
        assert changed.rowcount == 1
    store.close()
    done = server.verify()
    assert done.returncode == 1, f"a planted change was not seen:\n{done.stdout}{done.stderr}"


def verification_sees_a_flipped_bit(test):
    server = test.server().start()
    replay.define(server)
    for stream, lines, key in replay.batches()[:20]:
        server.produce(stream, lines, key)
    assert server.stop() == 0
    server.check_verify()
    server.spoiled = True
    path, at = find_in_journal(server.directory, b'"destination"')
    with open(path, "r+b") as f:
        f.seek(at + 3)
        byte = f.read(1)
        f.seek(at + 3)
        f.write(bytes([byte[0] ^ 0x20]))
    done = server.verify(recompute=False)
    assert done.returncode == 1, f"a flipped bit was not seen:\n{done.stdout}{done.stderr}"


def find_in_journal(directory, text):
    """The first place of a text that lies in the first half of what was written."""
    for path in sorted(glob.glob(os.path.join(directory, "journal*", "*")), key=os.path.getmtime):
        if not os.path.isfile(path):
            continue
        with open(path, "rb") as f:
            at = f.read().find(text)
        if at >= 0:
            return path, at
    raise AssertionError("no journal file holds the events")


if __name__ == "__main__":
    main([one_worker, two_workers, verification_sees_a_changed_definition, verification_sees_a_flipped_bit])
