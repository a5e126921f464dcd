#!/usr/bin/env python3
"""The same replay across kill -9 at random moments, with another number of workers at every start. Producers send again with
the same Idempotency-Key until they are answered. MILLRACE_KILLS says how many kills (5); MILLRACE_SEED repeats a run."""
import contextlib
import http.client
import os
import threading
import time

import replay
from harness import Refused, main

PRODUCERS = 3


class Feed:
    """Producers that do not give up. Each batch goes out until it has its answer."""

    def __init__(self, server, batches):
        self.server = server
        self.queues = [batches[i::PRODUCERS] for i in range(PRODUCERS)]
        self.answers = []
        self.answered = threading.Event()
        self.failures = []
        self.allowed = threading.Semaphore(0)
        self.threads = [threading.Thread(target=self.run, args=(queue,), daemon=True) for queue in self.queues]

    def start(self):
        for thread in self.threads:
            thread.start()

    def run(self, queue):
        for stream, lines, key in queue:
            self.allowed.acquire()
            try:
                self.answers.append((key, self.send(stream, lines, key)))
            except Exception as failure:  # seen by join()
                self.failures.append(failure)
                return

    def send(self, stream, lines, key):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                answer = self.server.produce(stream, lines, key)
                assert answer["accepted"] == len(lines), answer
                return answer
            except Refused as refused:
                if refused.status not in (429, 503):
                    raise
            except (OSError, http.client.HTTPException):
                pass
            time.sleep(0.01)
        raise AssertionError(f"no answer to {key} in two minutes")

    def join(self):
        for _ in range(10_000):
            self.allowed.release()
        for thread in self.threads:
            thread.join(300)
            assert not thread.is_alive(), "a producer hangs"
        if self.failures:
            raise self.failures[0]


def kills(test):
    count = int(os.environ.get("MILLRACE_KILLS", "5"))
    # Small segments and frequent snapshots: the kills meet them all.
    server = test.server(workers=1, options=["--segment-mb", "8", "--snapshot-mb", "1"]).start()
    replay.define(server)
    batches = replay.batches(100 if count <= 10 else 40)
    feed = Feed(server, batches)
    feed.start()
    share = len(batches) // count
    for number in range(count):
        for _ in range(share):
            feed.allowed.release()
        time.sleep(test.random.uniform(0.01, 0.4))
        if test.random.random() < 0.3:
            with contextlib.suppress(OSError, Refused, http.client.HTTPException):
                server.sql("SELECT * FROM flights_by_destination")  # a read, too, may be under way
        server.kill()
        workers = test.random.choice([1, 2, 2, 3])
        server.start(workers=workers)
        print(f"  kill {number + 1}: {len(feed.answers)} of {len(batches)} batches answered, now {workers} workers", flush=True)
    feed.join()
    assert len({key for key, _ in feed.answers}) == len(batches)
    replay.check_answers(server)
    replay.check_late_view(server, "quakes_by_type")
    check_answers_stay(server, feed)
    assert server.stop() == 0


def check_answers_stay(server, feed):
    """A batch sent once more gets its first answer, and nothing is stored again."""
    by_key = {key: (stream, lines) for queue in feed.queues for stream, lines, key in queue}
    for key, answer in feed.answers[:20] + feed.answers[-20:]:
        stream, lines = by_key[key]
        again = server.produce(stream, lines, key)
        assert again["offsets"] == answer["offsets"] and again["accepted"] == answer["accepted"], (again, answer)
    replay.check_exactly_once(server)


if __name__ == "__main__":
    main([kills])
