#!/usr/bin/env python3
"""NEXMark on Apache Flink and on Millrace: the same file of events, the same queries, one core each, in one run.

Prints one JSON object a line, as `millrace bench` does: events_per_s, flink_events_per_s, ratio. The rows of both are
compared first, over a shorter file. Flink comes from PyPI and Maven Central into --peer-directory and stays there.
However it ends, by SIGINT and SIGTERM too, it ends the processes that it has started.

    build/release/bin/millrace bench nexmark --peer flink [--case q0] [--events N]
    bench/peers/flink/nexmark.py --millrace build/release/bin/millrace [--case q0 …] [--events N]
"""
import argparse
import collections
import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

VERSION = "2.3.0"
HERE = os.path.dirname(os.path.abspath(__file__))
CORE = "0"
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def say(text):
    print(text, file=sys.stderr, flush=True)


class Children:
    """The processes that this one has started, each with all that it starts in a group of its own."""

    running = set()

    @classmethod
    def start(cls, command, **options):
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # not between its start and the note of it
        try:
            child = subprocess.Popen(command, start_new_session=True, **options,
                                     preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS))
            cls.running.add(child)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        return child

    @classmethod
    def end(cls, child):
        """The whole group: a script may have ended before the Java that it has started."""
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        child.wait()
        cls.running.discard(child)

    @classmethod
    def end_all(cls):
        for child in list(cls.running):
            cls.end(child)

    @classmethod
    def run(cls, command, timeout=None, **options):
        """As subprocess.run(check=True); what it has printed."""
        child = cls.start(command, text=True, **options)
        try:
            out, err = child.communicate(timeout=timeout)
        finally:
            cls.end(child)
        if child.returncode != 0:
            raise SystemExit(f"{command[0]} ended with {child.returncode}:\n{(out or '')[-3000:]}\n{(err or '')[-2000:]}")
        return out


def end_by_signal(number, _):
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)  # once is enough
    sys.exit(128 + number)


def fetch(directory):
    """The jars, as PyPI and Maven Central have them, in one tree."""
    home = os.path.join(directory, f"flink-{VERSION}")
    if os.path.exists(os.path.join(home, "ready")):
        return home
    say(f"fetching Apache Flink {VERSION} into {home}")
    shutil.rmtree(home, ignore_errors=True)
    with tempfile.TemporaryDirectory() as wheels:
        Children.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", wheels,
                      f"apache-flink-libraries=={VERSION}", f"apache-flink=={VERSION}"], stdout=sys.stderr)
        for wheel in glob.glob(os.path.join(wheels, "*.whl")):
            shutil.unpack_archive(wheel, os.path.join(wheels, "tree"), "zip")
        shutil.move(os.path.join(wheels, "tree", "pyflink"), home)
    for script in glob.glob(os.path.join(home, "bin", "*")):
        os.chmod(script, 0o755)
    Children.run(["mvn", "-B", "-q", "dependency:copy", f"-Dartifact=org.apache.flink:flink-sql-gateway:{VERSION}",
                  f"-DoutputDirectory={home}/opt"], stdout=sys.stderr)
    with open(os.path.join(home, "ready"), "w", encoding="ascii") as f:
        f.write(VERSION)
    return home


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Flink:
    """One job manager and one task manager with one slot, both on one core."""

    def __init__(self, home, scratch):
        self.home, self.scratch = home, scratch
        self.rest = free_port()
        conf = os.path.join(scratch, "conf")
        shutil.copytree(os.path.join(home, "conf"), conf)
        with open(os.path.join(conf, "config.yaml"), encoding="utf-8") as f:
            opts = next(line.strip() for line in f if line.strip().startswith("all: --add-exports"))
        with open(os.path.join(conf, "config.yaml"), "w", encoding="utf-8") as f:
            f.write(f"""env:
  java:
    opts:
      {opts}
      taskmanager: -XX:+UseParallelGC
jobmanager:
  bind-host: 127.0.0.1
  rpc: {{address: 127.0.0.1, port: {free_port()}}}
  memory: {{process: {{size: 1600m}}}}
taskmanager:
  bind-host: 127.0.0.1
  host: 127.0.0.1
  numberOfTaskSlots: 1
  memory: {{process: {{size: 8g}}, managed: {{size: 1g}}}}
parallelism: {{default: 1}}
pipeline: {{object-reuse: true}}
rest: {{address: 127.0.0.1, bind-address: 127.0.0.1, port: {self.rest}}}
state: {{backend: {{type: hashmap}}}}
table:
  dml-sync: true
  exec: {{mini-batch: {{enabled: true, allow-latency: 2 s, size: 50000}}}}
""")
        for name in glob.glob(os.path.join(conf, "log4j*.properties")):
            with open(name, encoding="utf-8") as f:
                text = f.read()
            with open(name, "w", encoding="utf-8") as f:
                f.write(text.replace("rootLogger.level = INFO", "rootLogger.level = WARN"))
        self.env = {**os.environ, "FLINK_HOME": home, "FLINK_CONF_DIR": conf, "FLINK_LOG_DIR": scratch,
                    "FLINK_PID_DIR": scratch}

    def start(self):
        for script in ("jobmanager.sh", "taskmanager.sh"):
            with open(os.path.join(self.scratch, script + ".out"), "wb") as out:
                Children.start(["taskset", "-c", CORE, os.path.join(self.home, "bin", script), "start-foreground"],
                               env=self.env, stdout=out, stderr=out)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                if self.get("/overview")["slots-total"] == 1:
                    return
            except OSError:
                pass
            time.sleep(0.3)
        said = "".join(open(name, encoding="utf-8").read()[-2000:] for name in glob.glob(f"{self.scratch}/*.out"))
        raise SystemExit(f"Flink does not start:\n{said}")

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.rest}{path}", timeout=10) as answer:
            return json.load(answer)

    def run(self, statements, inserts):
        """Runs every INSERT as a job; the seconds that each has run."""
        before = {job["jid"] for job in self.get("/jobs/overview")["jobs"]}
        path = os.path.join(self.scratch, "query.sql")
        with open(path, "w", encoding="utf-8") as f:
            f.write(";\n".join(statements + inserts) + ";\n")
        said = Children.run(["taskset", "-c", "1", os.path.join(self.home, "bin", "sql-client.sh"), "-f", path],
                            env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900)
        jobs = [job for job in self.get("/jobs/overview")["jobs"] if job["jid"] not in before]
        jobs.sort(key=lambda job: job["start-time"])
        if len(jobs) != len(inserts) or any(job["state"] != "FINISHED" for job in jobs):
            raise SystemExit(f"Flink did not run this:\n{said[-3000:]}")
        seconds = []
        for job in jobs:
            times = self.get(f"/jobs/{job['jid']}")["timestamps"]
            seconds.append((times["FINISHED"] - times["RUNNING"]) / 1000)
        return seconds


def table(path):
    return f"""CREATE TABLE nexmark (event_type INT,
  person ROW<id BIGINT, name STRING, emailAddress STRING, creditCard STRING, city STRING, state STRING,
    `dateTime` TIMESTAMP_LTZ(3), extra STRING>,
  auction ROW<id BIGINT, itemName STRING, description STRING, initialBid BIGINT, reserve BIGINT,
    `dateTime` TIMESTAMP_LTZ(3), expires TIMESTAMP_LTZ(3), seller BIGINT, category BIGINT, extra STRING>,
  bid ROW<auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, `dateTime` TIMESTAMP_LTZ(3), extra STRING>,
  date_time AS CASE event_type WHEN 0 THEN person.`dateTime` WHEN 1 THEN auction.`dateTime` ELSE bid.`dateTime` END,
  WATERMARK FOR date_time AS date_time - INTERVAL '4' SECOND)
  WITH ('connector' = 'filesystem', 'path' = 'file://{path}', 'format' = 'json',
        'json.timestamp-format.standard' = 'ISO-8601')"""


VIEW = """CREATE VIEW bid AS SELECT bid.auction AS auction, bid.bidder AS bidder, bid.price AS price, bid.channel AS channel,
  bid.url AS url, date_time, bid.extra AS extra FROM nexmark WHERE event_type = 2"""


def load_queries():
    """The files beside this one: the sink's columns in the first line; in the second one, if windows depend on when a run
    was, a key and a count that are compared in total; then the query."""
    queries = {}
    for path in sorted(glob.glob(os.path.join(HERE, "queries", "*.sql"))):
        with open(path, encoding="utf-8") as f:
            columns, query = f.read().split("\n", 1)
        totals = None
        if query.startswith("-- totals: "):
            line, query = query.split("\n", 1)
            totals = line.removeprefix("-- totals: ").split(", ")
        queries[os.path.basename(path)[:-4]] = (columns.removeprefix("-- "), query.strip(), totals)
    return queries


def rows_of_flink(flink, path, columns, query, totals, out):
    if totals:  # over all rows: the windows that are open when a run ends it does not show
        key, count = totals
        columns, query = f"{key} BIGINT, `{count}` BIGINT", f"SELECT {key}, count(*) AS `{count}` FROM bid GROUP BY {key}"
    sink = (f"CREATE TABLE sink ({columns}) WITH ('connector' = 'filesystem', 'path' = 'file://{out}', 'format' = 'json', "
            "'json.timestamp-format.standard' = 'ISO-8601')")
    # As a batch: a file takes no changes, and the last of them are what counts. Sessions have none, and Flink has no
    # sessions in a batch.
    mode = "streaming" if "SESSION(" in query else "batch"
    flink.run(["SET 'table.local-time-zone' = 'UTC'", f"SET 'execution.runtime-mode' = '{mode}'", table(path), VIEW, sink],
              [f"INSERT INTO sink {query}"])
    rows = []
    for name in glob.glob(os.path.join(out, "**"), recursive=True):
        if os.path.isfile(name):
            with open(name, encoding="utf-8") as f:
                rows.extend(json.loads(line) for line in f)
    return counted(rows, totals)


TIME = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?Z?$")


def comparable(row):
    """Values in the order of the columns' names; numbers to nine digits, as one side has decimals and the other doubles."""
    def value(v):
        if isinstance(v, float):
            return f"{v:.9g}"
        if isinstance(v, str) and TIME.match(v):
            return TIME.sub(lambda m: m[1] + (m[2] or "").rstrip("0").rstrip("."), v)
        if isinstance(v, int) and not isinstance(v, bool):
            return f"{float(v):.9g}" if abs(v) < 10**9 else str(v)
        return v
    return tuple(value(row[name]) for name in sorted(row))


def counted(rows, totals):
    """How often each row is there; or the total of a count by its key."""
    counts = collections.Counter()
    for row in rows:
        if totals:
            counts[row[totals[0]]] += row[totals[1]]
        else:
            counts[comparable(row)] += 1
    return counts


def millrace_rows(binary, case, events, totals):
    with tempfile.NamedTemporaryFile(suffix=".ndjson") as rows:
        Children.run([binary, "bench", "nexmark", "--case", case, "--rounds", "1", "--events", str(events), "--rows", rows.name],
                     stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        with open(rows.name, encoding="utf-8") as f:
            return counted(map(json.loads, f), totals)


def millrace_rate(binary, case, events):
    out = Children.run(["taskset", "-c", CORE, binary, "bench", "nexmark", "--case", case, "--events", str(events),
                        "--output", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return next(row["value"] for row in map(json.loads, out.splitlines()) if row["metric"] == "events_per_s")


def write_events(binary, path, count):
    Children.run([binary, "bench", "nexmark-events", "--events", str(count), "--to", path])


def compare_rows(flink, binary, case, events, path, out):
    """How many rows both gave; None if they differ."""
    columns, query, totals = load_queries()[case]
    theirs = rows_of_flink(flink, path, columns, query, totals, out)
    ours = millrace_rows(binary, case, events, totals)
    if theirs == ours:
        return sum(ours.values())
    say(f"{case}: rows differ: {sum(theirs.values())} of Flink, {sum(ours.values())} of Millrace; only there: "
        f"{list((theirs - ours).items())[:3]}, only here: {list((ours - theirs).items())[:3]}")
    return None


def flink_rate(flink, case, events, path):
    """Of the better of two warm runs: one before them is not measured, its compiler is still at work."""
    columns, query, _ = load_queries()[case]
    blackhole = f"CREATE TABLE sink ({columns}) WITH ('connector' = 'blackhole')"
    insert = f"INSERT INTO sink {query}"
    _, *warm = flink.run(["SET 'table.local-time-zone' = 'UTC'", table(path), VIEW, blackhole], [insert] * 3)
    return events / min(warm)


def report(case, metrics, output):
    for metric, value, unit in metrics:
        if output == "json":
            print(json.dumps({"bench": "nexmark", "case": case, "metric": metric, "value": round(value, 2), "unit": unit}),
                  flush=True)
        else:
            print(f"{'nexmark / ' + case:<28} {metric:<24} {value:>14.4g} {unit}", flush=True)


def run(arguments, scratch):
    """The queries whose rows differ."""
    binary = os.path.abspath(arguments.millrace)
    home = fetch(arguments.peer_directory)
    whole, part = os.path.join(scratch, "events.json"), os.path.join(scratch, "part.json")
    write_events(binary, whole, arguments.events)
    write_events(binary, part, arguments.compared)
    flink = Flink(home, scratch)
    flink.start()
    failed = 0
    for case in arguments.case:
        rows = compare_rows(flink, binary, case, arguments.compared, part, os.path.join(scratch, case))
        failed += rows is None
        theirs = flink_rate(flink, case, arguments.events, whole)
        ours = millrace_rate(binary, case, arguments.events)
        say(f"{case}: {rows} rows compared; Flink {theirs:,.0f} events/s, Millrace {ours:,.0f}, {ours / theirs:.1f} x")
        report(case, (("flink_events_per_s", theirs, "1/s"), ("events_per_s", ours, "1/s"), ("ratio", ours / theirs, "x")),
               arguments.output)
    return failed


def main():
    queries = list(load_queries())
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--millrace", default="build/release/bin/millrace")
    parser.add_argument("--case", nargs="+", choices=queries, default=queries, metavar="QUERY", help="all if none is named")
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--compared", type=int, default=200_000, help="events whose rows are compared")
    parser.add_argument("--output", choices=("json", "table"), default="json")
    parser.add_argument("--peer-directory", default=os.path.expanduser("~/.cache/millrace-peers"))
    arguments = parser.parse_args()
    for number in SIGNALS:
        signal.signal(number, end_by_signal)
    try:
        with tempfile.TemporaryDirectory(prefix="millrace-nexmark-") as scratch:
            try:
                failed = run(arguments, scratch)
            finally:
                Children.end_all()
    except subprocess.TimeoutExpired as late:
        raise SystemExit(f"it took longer than {late.timeout} s: {late.cmd[-1]}") from None
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
