#!/usr/bin/env python3
"""The command line as a new user meets it: what goes where, what a mistake gets, what an interruption leaves. A case of
CASES is a line."""
import fcntl
import json
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import termios
import time

from harness import free_port, main
from terminal import Terminal

DEFINE = """CREATE STREAM s (id BIGINT, name TEXT, d DOUBLE PRECISION, at TIMESTAMPTZ);
CREATE MATERIALIZED VIEW v AS SELECT name, count(*) AS n FROM s GROUP BY name;"""

# Arguments, the exit code, what stderr says (a pattern).
CASES = [
    (["frobnicate"], 2, 'MR-CLI-0014: millrace has no command "frobnicate"\nhint: there are: serve, sql'),
    (["help"], 2, "MR-CLI-0014"),
    (["--frobnicate"], 2, "MR-CLI-0014.*--frobnicate\nhint: see  millrace --help"),
    (["sql", "--frobnicate"], 2, "MR-CLI-0014.*--frobnicate\nhint: see  millrace sql --help"),
    (["sql", "-c"], 2, "MR-CLI-0014: --command"),
    (["sql", "-c", "SELECT 1", "-f", "x"], 2, "MR-CLI-0014.*exclu"),
    (["sql", "-c", "SELECT 1", "--output", "xml"], 2, "MR-CLI-0014.*xml"),
    (["sql"], 2, "MR-CLI-0008"),
    (["sql", "-c", " ; "], 2, "MR-CLI-0008"),
    (["sql", "-f", "/there/is/nothing"], 2, "MR-CLI-0006: cannot open /there/is/nothing: No such file"),
    (["sql", "-f", "/tmp"], 2, "MR-CLI-0011: cannot read /tmp: Is a directory"),
    (["sql", "-f", "/dev/zero"], 2, "MR-CLI-0007"),
    (["sql", "--server", "127.0.0.1:80", "-c", "SELECT 1"], 2, "MR-CLI-0004"),
    (["sql", "--server", "ftp://127.0.0.1", "-c", "SELECT 1"], 2, "MR-CLI-0004"),
    (["sql", "--server", "http://nobody.invalid", "-c", "SELECT 1"], 3, "MR-CLI-0001.*\nhint: is the server running"),
    (["sql", "--token-file", "/dev/null", "-c", "SELECT 1"], 1, "MR-CLI-0005"),
    (["produce"], 2, "MR-CLI-0014: stream is required\nhint: see  millrace produce --help"),
    (["produce", "s", "/tmp"], 1, "MR-CLI-0011.*Is a directory"),
    (["produce", "s", "/there/is/nothing"], 2, "MR-CLI-0006"),
    (["produce", "s", "--format", "xml"], 2, "MR-CLI-0014.*xml"),
    (["produce", "s", "--rate", "0"], 2, "MR-CLI-0014.*rate"),
    (["produce", "s", "--retry-seconds", "-1"], 2, "MR-CLI-0014.*retry-seconds"),
    (["consume"], 2, "MR-CLI-0014: stream is required"),
    (["consume", "s", "--limit", "0"], 2, "MR-CLI-0014.*limit"),
    (["consume", "s", "--limit", "-1"], 2, "MR-CLI-0014.*limit"),
    (["consume", "s", "--from", "2024-01-01"], 1, "MR-API-0010"),
    (["consume", "s", "--from", "999999-0"], 1, "MR-EVS-0004.*\nhint: .* --from start"),
    (["consume", "s", "--from", "5"], 1, "MR-API-0011.*\nhint: --from takes start, end"),
    (["streams", "show", "nothing"], 1, "MR-API-0046.*\nhint: `millrace streams list` lists"),
    (["tokens", "show", "nothing"], 1, "MR-AUTH-0007.*\nhint: `millrace tokens list` lists"),
    (["dead-letters", "show", "7"], 1, "MR-DLQ-0001.*\nhint: `millrace dead-letters list` lists"),
    (["consume", "v"], 1, "MR-API-0022"),
    (["consume", "nothing"], 1, "MR-API-0018"),
    (["consume", "nothing", "--follow"], 1, "MR-API-0018"),
    (["log"], 2, "MR-CLI-0014: millrace log needs a command\nhint: there are: verify, dump"),
    (["log", "frobnicate"], 2, 'MR-CLI-0014: millrace log has no command "frobnicate"'),
    (["log", "verify", "--data", "/there/is/nothing"], 1, "MR-NODE-0003.*\nhint: "),
    (["log", "dump", "--data", "/tmp", "--limit", "-1"], 2, "MR-CLI-0014.*limit"),
    (["doctor", "--http", "nonsense"], 2, "MR-NODE-0010.*\nhint: "),
    (["completion"], 2, "MR-CLI-0014: shell is required"),
    (["completion", "ksh"], 2, "MR-CLI-0014.*ksh"),
    (["serve", "--http", "nonsense"], 2, "MR-NODE-0010.*\nhint: "),
    (["serve", "--http", "127.0.0.1:99999"], 2, "MR-NODE-0010"),
    (["serve", "--http", "events.example.com:80"], 2, "MR-NODE-0010.*no IP address\nhint: names are not looked up"),
    (["serve", "--workers", "0"], 2, "MR-CLI-0014.*workers"),
    (["serve", "--reserve-mb", "-1"], 2, "MR-CLI-0014.*reserve-mb"),
    (["serve", "--data", "/proc/nothing", "--http", "127.0.0.1:0"], 1, "MR-FILE-0001.*\nhint: --data names a folder"),
    (["serve", "--data", "/dev/null", "--http", "127.0.0.1:0"], 1, "MR-FILE-"),
]


def started(test, **kwargs):
    server = test.server(**kwargs).start()
    server.sql(DEFINE)
    return server


def mistakes(test):
    server = started(test)
    for arguments, code, says in CASES:
        done = test.cli(*arguments, stdin="", env={"MILLRACE_SERVER": server.url}, timeout=20)
        assert done.returncode == code, f"{arguments}: {done.returncode}, not {code}\n{done.stdout}{done.stderr}"
        assert re.search(says, done.stderr), f"{arguments}: {done.stderr}"
        assert not done.stdout, f"{arguments}: talk on stdout: {done.stdout}"


def help_and_version(test):
    version = test.cli("version")
    assert version.returncode == 0 and re.fullmatch(r"millrace \d+\.\d+\.\d+\n", version.stdout), version
    for flag in ("--version", "-V"):
        assert test.cli(flag).stdout == version.stdout
    nothing = test.cli()
    assert nothing.returncode == 0 and nothing.stdout == test.cli("--help").stdout and not nothing.stderr
    for command in ("serve", "sql", "produce", "consume", "log", "bench", "doctor", "demo", "top", "completion", "version"):
        assert re.search(rf"^  {command} ", nothing.stdout, re.M), command
        own = test.cli(command, "--help")
        assert own.returncode == 0 and own.stdout.startswith(re.search(rf"^  {command} +(.*)$", nothing.stdout, re.M)[1])
    assert "Exit codes: 0 done, 1 an error, 2 wrong usage, 3 no server there." in nothing.stdout


def an_error_in_a_file(test):
    """File, line and column as editors read them, the place underlined, the hint; what stands before it was done."""
    server = started(test)
    path = os.path.join(test.root, "queries.sql")
    with open(path, "w", encoding="utf-8") as f:
        f.write("-- größe\nSELECT 1 AS one;\nSELECT id,\n\t\"größe\", nme\nFROM s;\nSELECT 2;\n")
    done = test.cli("sql", "--server", server.url, "-f", path)
    assert done.returncode == 1 and done.stdout == " one\n-----\n   1\n", done
    assert done.stderr == (f'(1 row)\n{path}:4:2: error MR-SQL-0011: column "größe" does not exist\n'
                           "  --> line 4, column 2\n  |\n4 |  \"größe\", nme\n  |  ^^^^^^^\n"
                           "hint: text stands in single quotes: 'größe'\n"), done.stderr
    piped = test.cli("sql", "--server", server.url, "-f", "-", stdin="SELECT id, nme FROM s")
    assert piped.returncode == 1 and "1 | SELECT id, nme FROM s\n  |            ^^^\n" in piped.stderr, piped


def tables(test):
    """Each statement's rows are a table of their own, with its count; without rows there is a word, too."""
    server = started(test)
    server.produce("s", [{"id": 1, "name": "ana", "d": 1.5}, {"id": -22, "name": "x\u001b[31my\u009bz"}])
    at = ["--server", server.url]
    done = test.cli("sql", *at, "-c", "SELECT id, name FROM s; CREATE STREAM t (id BIGINT); SELECT d FROM s; SELECT name FROM v "
                                      "WHERE n > 5")
    assert done.stdout == (" id  | name\n-----+-----------------\n   1 | ana\n -22 | x\\x1b[31my\\x9bz\n\n"
                           " d\n-----\n 1.5\n\n"), done.stdout
    assert done.stderr == "(2 rows)\nCREATE STREAM\n(2 rows)\n", done.stderr
    words = test.cli("sql", *at, "-c", "PAUSE v; RESUME v; INSERT INTO t VALUES (1), (2)")
    assert words.stdout == "" and words.stderr == "PAUSE\nRESUME\nINSERT 0 2\n", words
    none = test.cli("sql", *at, "-c", "SELECT * FROM s WHERE id = 5")
    assert none.returncode == 0 and none.stdout == "" and none.stderr == "(0 rows)\n", none
    lines = test.cli("sql", *at, "--output", "json", "-c", "CREATE STREAM u (id BIGINT); SELECT id, d FROM s")
    assert lines.stdout == '{"status":"CREATE STREAM"}\n{"id":1,"d":1.5}\n{"id":-22,"d":null}\n' and not lines.stderr, lines
    none = test.cli("sql", *at, "--output", "json", "-c", "SELECT * FROM s WHERE id = 5")
    assert none.stdout == "" and none.stderr == "", none


def an_output_that_takes_nothing(test):
    server = started(test)
    server.produce("s", [{"id": n, "name": "x" * 1000} for n in range(100)])
    for arguments in (["sql", "-c", "SELECT * FROM s"], ["sql", "--output", "json", "-c", "SELECT * FROM s"],
                      ["consume", "s"], ["consume", "s", "--follow", "--from", "start"], ["version"]):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([test.binary, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=20,
                                  env={**os.environ, "MILLRACE_SERVER": server.url})
        assert done.returncode == 1 and "MR-CLI-0012" in done.stderr, (arguments, done)


def bad_events_do_not_stop_a_producer(test):
    """Batches that hold nothing but bad events are counted and shown as any other; what comes behind them arrives."""
    server = started(test)
    alone = test.cli("produce", "--server", server.url, "s", stdin="no json\n")
    assert alone.returncode == 1 and "line 1: MR-EVT-0001" in alone.stderr, alone
    assert "0 events accepted, 1 rejected" in alone.stderr, alone
    process = subprocess.Popen([test.binary, "produce", "--server", server.url, "s"], stdin=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    for number, line in enumerate(['no json\n', '{"id":1}\n', '{"id":"x"}\n', '{"id":2}\n']):
        process.stdin.write(line)
        process.stdin.flush()
        if line == '{"id":%d}\n' % ((number + 1) // 2):
            wait_for(lambda: len(server.events("s")) == (number + 1) // 2)
        else:
            time.sleep(0.2)  # from a pipe that has no more for now, what is there goes out: a batch of its own
    _, talk = process.communicate(timeout=20)
    assert process.returncode == 1, talk
    assert "line 1: MR-EVT-0001" in talk and "line 3: MR-EVT-0006" in talk, talk
    assert "2 events accepted, 2 rejected" in talk, talk
    assert [e["id"] for e in server.events("s")] == [1, 2]


def comma_separated(test):
    """By the first line's columns and the stream's types; what is wrong is told by its line, and what stands before it arrives."""
    server = started(test)
    at = ["produce", "--server", server.url, "--format", "csv", "s"]
    text = 'name,id,d,at\r\n"ana, ""a""",1,1.5,2024-01-01T00:00:00Z\r\n"two\nlines",2,,\r\n"",3,x,\r\n,4,,\r\n'
    done = test.cli(*at, stdin=text)
    assert done.returncode == 1 and "3 events accepted, 1 rejected" in done.stderr, done
    assert 'line 5: MR-EVT-0006 column "d" (double precision): ' in done.stderr, done  # at a byte of no line of CSV
    assert server.events("s") == [{"name": 'ana, "a"', "id": 1, "d": 1.5, "at": "2024-01-01T00:00:00Z"},
                                  {"name": "two\nlines", "id": 2}, {"id": 4}], server.events("s")
    for text, code, says, arrived in (("id,nme\n1,x\n", "0031", 'did you mean "name"', 0), ("id,name\n5,x\n6\n", "0030", "line 3: 1 fields", 1),
                                      ('id,name\n6,"x\n', "0030", "line 2: a quote is not closed", 0)):
        before = len(server.events("s"))
        done = test.cli(*at, stdin=text)
        assert done.returncode == 1 and f"MR-CLI-{code}" in done.stderr and says in done.stderr, done
        assert len(server.events("s")) == before + arrived
    unknown = test.cli("produce", "--server", server.url, "--format", "csv", "nothing", stdin="id\n1\n")
    assert unknown.returncode == 1 and "nothing" in unknown.stderr, unknown
    path = os.path.join(test.root, "many.csv")
    with open(path, "w", encoding="utf-8") as f:
        f.write("\ufeffid,name\n" + "".join(f"{n},{'x' * 100}\n" for n in range(20_000)))
    before = len(server.events("s"))
    for _ in range(2):  # the same keys
        assert test.cli(*at, path, "--idempotency-prefix", "many").returncode == 0
    assert [e["id"] for e in server.events("s")[before:]] == list(range(20_000))


def comma_separated_by_its_name(test):
    """FILE.csv is CSV; other CSV is told from bad JSON; whoever may only send can send it, and hears of no statement."""
    server = started(test)
    text = "id,name\n1,ana\n"
    for name, options, code in (("x.csv", [], 0), ("x.txt", ["--format", "csv"], 0), ("x.txt", [], 1), ("x.csv", ["--format", "ndjson"], 1)):
        path = os.path.join(test.root, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        done = test.cli("produce", "--server", server.url, "s", path, *options)
        assert done.returncode == code and ("--format csv" in done.stderr) == (code == 1), done
    assert server.events("s") == [{"id": 1, "name": "ana"}] * 2
    unknown = test.cli("produce", "--server", server.url, "nothing", os.path.join(test.root, "x.csv"))
    assert unknown.returncode == 1 and '"nothing"' in unknown.stderr and "-->" not in unknown.stderr, unknown
    made = json.loads(server.call("POST", "/v1/tokens", '{"scopes":["admin"]}', {"Content-Type": "application/json"})[0])
    admin = {"Authorization": f"Bearer {made['token']}", "Content-Type": "application/json"}
    sender = json.loads(server.call("POST", "/v1/tokens", '{"scopes":["ingest:s"]}', admin)[0])["token"]
    done = test.cli("produce", "--server", server.url, "--token", sender, "s", os.path.join(test.root, "x.csv"))
    assert done.returncode == 0 and "1 event accepted, 0 rejected," in done.stderr, done


def events_that_are_there(test):
    """A duplicate is no rejected event."""
    server = test.server().start()
    server.sql("CREATE STREAM c (ce_id TEXT) WITH (format = 'cloudevents', deduplicate = '10 minutes')")
    event = {"specversion": "1.0", "source": "s", "type": "t"}
    server.call("POST", "/v1/streams/c/events", json.dumps({**event, "id": "1"}), {"Content-Type": "application/cloudevents+json"})
    lines = "".join(json.dumps({**event, "id": str(n)}) + "\n" for n in (1, 2))
    done = test.cli("produce", "--server", server.url, "c", stdin=lines)
    assert done.returncode == 0 and done.stderr.startswith("1 event accepted, 0 rejected, 1 in the stream already,"), done


def a_producer_that_is_interrupted(test):
    """Ctrl-C, wherever it waits: what has been sent is told, and it ends."""
    server = started(test)
    for options, first in ((["--rate", "5"], '{"id":1}\n' * 100), ([], '{"id":1}\n')):
        producer = subprocess.Popen([test.binary, "produce", "--server", server.url, "s", *options], text=True,
                                    stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        before = len(server.events("s"))
        producer.stdin.write(first)
        producer.stdin.flush()
        wait_for(lambda: len(server.events("s")) > before)
        producer.send_signal(signal.SIGINT)
        assert producer.wait(10) == 1
        talk, sent = producer.stderr.read(), len(server.events("s")) - before
        assert "MR-CLI-0015" in talk and f"lines from {sent + 1} on were not sent" in talk, talk
        assert re.search(rf"^{sent} events? accepted, 0 rejected", talk, re.M), talk
        producer.stdin.close()


def a_condition(test):
    server = started(test)
    server.produce("s", [{"id": n, "name": "it's" if n % 2 else "b", "more": n} for n in range(10)])
    at = ["consume", "--server", server.url, "s", "--where"]

    def ids(*more):
        return [json.loads(line)["id"] for line in test.cli(*at, *more).stdout.splitlines()]

    assert ids("id > 6") == [7, 8, 9] and ids("name = 'it''s' OR id = 0 -- all", "--limit", "2") == [0, 1]
    assert ids("id > 6", "--from", "2020-01-01T00:00:00Z") == [7, 8, 9]
    assert ids("id > 6", "--from", "2120-01-01T00:00:00Z") == [] and ids("false") == []
    for more, code, says in ((["nme = 'b'"], 1, 'did you mean "name"'), (["id >"], 1, "MR-SQL-"),
                             (["true); DROP VIEW v; SELECT (1"], 2, "MR-CLI-0032"), (["true", "--from", "6-1"], 2, "MR-CLI-0032"),
                             (["true", "--follow"], 2, "MR-CLI-0014.*xclu"), (["1 / (id - 5) > 0"], 1, "division by zero")):
        done = test.cli(*at, *more)
        assert done.returncode == code and re.search(says, done.stderr), (more, done)
        assert "SELECT *" not in done.stderr, ("nobody has typed that", done)
    place = test.cli(*at, "id = 1 AND\nnme = 'b'").stderr
    assert " --> line 2, column 1\n  |\n2 | nme = 'b'\n  | ^^^\n" in place, place
    assert len(server.sql("SHOW VIEWS")) == 1


def a_rate(test):
    server = started(test)
    lines = "".join(json.dumps({"id": n}) + "\n" for n in range(50))
    began = time.monotonic()
    done = test.cli("produce", "--server", server.url, "--rate", "50", "s", stdin=lines)
    assert done.returncode == 0 and 0.8 < time.monotonic() - began < 5, done
    assert [e["id"] for e in server.events("s")] == list(range(50))


def wait_for(condition, within=20):
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def a_batch_that_is_refused(test):
    """What stands before it arrived; which lines did not, is said."""
    server = started(test, options=["--max-body-mb", "1"])
    lines = [json.dumps({"id": n, "name": "x" * (2_000_000 if n == 3000 else 1000)}) + "\n" for n in range(4000)]
    done = test.cli("produce", "--server", server.url, "s", stdin="".join(lines))
    assert done.returncode == 1 and "MR-API-0003" in done.stderr, done
    first, last = map(int, re.search(r"lines (\d+) to (\d+) were not accepted, later ones not sent", done.stderr).groups())
    assert first <= 3001 <= last, done
    assert [e["id"] for e in server.events("s")] == list(range(first - 1))
    too_long = test.cli("produce", "--server", server.url, "s", stdin=lines[0] + "y" * 17_000_000)
    assert too_long.returncode == 1 and "MR-CLI-0009" in too_long.stderr, too_long
    assert re.search(r"lines from [12] on were not sent", too_long.stderr), too_long


def interrupted_twice(test):
    """The first ctrl-C lets a server finish; the second ends it at once, and nothing is lost by it."""
    server = started(test)
    server.produce("s", [{"id": n, "name": "x" * 10_000} for n in range(1000)])
    stuck = socket.socket()  # it does not read: a server waits some seconds for such a one
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.connect(("127.0.0.1", server.port))
    stuck.sendall(b"GET /v1/streams/s/events?from=start HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
    wait_for(lambda: server.metric("millrace_http_subscriptions") == 1)
    server.process.send_signal(signal.SIGINT)
    wait_for(lambda: "stopping" in server.tail())
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(20) == -signal.SIGINT, server.tail()
    stuck.close()
    server.start()
    assert len(server.events("s")) == 1000
    assert server.stop() == 0


def waiting_is_said(test):
    """Who is away: said at once, tried again, and then it goes on, or says so with 3."""
    nobody = ["--server", f"http://127.0.0.1:{free_port()}"]
    for arguments in (["produce", *nobody, "--retry-seconds", "0.3", "s"],
                      ["consume", *nobody, "s", "--follow", "--retry-seconds", "0.3"]):
        done = test.cli(*arguments, stdin='{"id":1}\n')
        assert done.returncode == 3 and done.stderr.startswith("MR-CLI-0001: no answer from"), done
        assert "trying again for" in done.stderr and "error MR-CLI-0001" in done.stderr, done
    quiet = test.cli("produce", *nobody, "--quiet", "--retry-seconds", "0.3", "s", stdin='{"id":1}\n')
    assert quiet.returncode == 3 and "trying" not in quiet.stderr, quiet


def a_quiet_follower_comes_back(test):
    """The time to come back counts from the loss, not from the last event; what came meanwhile is not left out."""
    server = started(test)
    server.address = f"127.0.0.1:{server.port}"
    follower = subprocess.Popen([test.binary, "consume", "--server", server.url, "s", "--follow", "--limit", "2",
                                 "--retry-seconds", "3"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: server.metric("millrace_stream_followers") == 1)
    time.sleep(3.3)  # longer than it would try
    server.kill()
    time.sleep(0.3)
    server.start()
    for n in (1, 2):
        server.produce("s", [{"id": n}])
    out, talk = follower.communicate(timeout=20)
    assert follower.returncode == 0 and [json.loads(line)["id"] for line in out.splitlines()] == [1, 2], (out, talk)
    assert "trying again" in talk, talk


def a_subscription_that_ends(test):
    """By ctrl-C: what was shown is whole. By the server: it says so, with 3. By DROP: the error's code, with 1."""
    server = started(test)
    server.produce("s", [{"id": n, "name": f"n{n}"} for n in range(3)])

    def subscribe():
        return subprocess.Popen([test.binary, "sql", "--server", server.url, "-c", "SUBSCRIBE TO v"],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def head(client):
        return [client.stdout.readline() for _ in range(5)]

    interrupted, dropped = subscribe(), subscribe()
    for client in (interrupted, dropped):
        assert head(client)[0].split() == ["_op", "|", "name", "|", "n"]
    interrupted.send_signal(signal.SIGINT)
    out, talk = interrupted.communicate(timeout=10)
    assert interrupted.returncode == -signal.SIGINT and not out and not talk, (out, talk)  # 130 for a shell
    server.sql("DROP MATERIALIZED VIEW v")
    _, talk = dropped.communicate(timeout=10)
    assert dropped.returncode == 1 and "MR-STEP-0020" in talk, talk
    server.sql("CREATE MATERIALIZED VIEW v AS SELECT name, count(*) AS n FROM s GROUP BY name")
    server.wait_running("v")
    left = subscribe()
    head(left)
    assert server.stop() == 0
    _, talk = left.communicate(timeout=10)
    assert left.returncode == 3 and "(3 rows)\nerror MR-CLI-0013" in talk, talk


def a_reader_that_has_enough(test):
    server = started(test)
    server.produce("s", [{"id": n, "name": "x" * 1000} for n in range(5000)])
    for command in ("consume s", "sql --output json -c 'SELECT * FROM s'", "sql -c 'SELECT * FROM s'"):
        done = subprocess.run(f"{test.binary} {command} | head -n 2", shell=True, capture_output=True, text=True, timeout=20,
                              env={**os.environ, "MILLRACE_SERVER": server.url})
        assert len(done.stdout.splitlines()) == 2 and not done.stderr, done


def progress_on_a_terminal(test):
    """A bar while it takes its time, wiped at the end; in a file or a pipe there is none."""
    server = started(test)
    path = os.path.join(test.root, "events.ndjson")
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(json.dumps({"id": n, "name": "x" * 200}) + "\n" for n in range(100_000))
    text = on_a_terminal([test.binary, "produce", "--server", server.url, "s", path])
    assert re.search(r"\r\x1b\[K\[[#.]{30}\] +\d+ %  \d+ events, \d+/s", text), text[-500:]
    assert re.search(r"\r\x1b\[K100000 events accepted, 0 rejected", text), text[-500:]
    assert server.stop() == 0
    text = on_a_terminal([test.binary, "log", "verify", server.directory])
    assert re.search(r"\[[#.]{30}\] +\d+ %  \d+ of \d+ MiB\r\x1b\[K", text), text[-500:]


def lists_on_a_terminal(test):
    """As wide as it is; for a program nothing is cut."""
    server = started(test)
    server.sql(f"CREATE MATERIALIZED VIEW {'long' * 10} AS SELECT name AS {'n' * 60}, count(*) AS n FROM s GROUP BY name")
    whole = test.cli("queries", "list", "--server", server.url).stdout
    terminal = Terminal([test.binary, "queries", "list", "--server", server.url], columns=70)
    assert terminal.ends() == 0
    lines = terminal.shown.replace("\r", "").splitlines()
    assert "long" * 10 in whole and max(map(len, whole.splitlines())) > 70
    assert max(map(len, lines)) <= 70 and any("long" in line for line in lines), terminal.shown
    terminal.close()


def what_a_start_suggests(test):
    """What `serve` says to try works from its machine, as it is."""
    for options, token in (([], False), (["--http", "0.0.0.0:0"], True)):
        server = test.server(f"data-{token}", options=options if not token else [])
        if token:
            server.address = options[1]
            made = test.cli("tokens", "create", "--data", server.directory, "--scope", "query", "--scope", "admin").stdout
            with open(os.path.join(test.root, "FILE"), "w", encoding="ascii") as f:
                f.write(made)
        server.start(until="/livez")
        wait_for(lambda server=server: "  try: " in server.tail())
        tried = re.search(r"  try: (millrace .*?)   or   (curl .*)", server.tail())
        assert ("--token-file FILE" in tried[1]) == token and "0.0.0.0" not in tried[0], tried[0]
        path = os.path.dirname(test.binary) + os.pathsep + os.environ["PATH"]
        for command in tried.groups():
            done = subprocess.run(["bash", "-c", command], cwd=test.root, env={**os.environ, "PATH": path}, capture_output=True, text=True,
                                  timeout=20)
            assert done.returncode == 0 and "MR-" not in done.stdout, (command, done)
        server.stop()


def on_a_terminal(command):
    """What it writes to a stderr that is a terminal."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    text = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the other side is closed
            break
        if not piece:
            break
        text += piece
    os.close(ours)
    assert process.wait(60) == 0, text
    return text.decode()


if __name__ == "__main__":
    main([mistakes, help_and_version, an_error_in_a_file, tables, an_output_that_takes_nothing,
          bad_events_do_not_stop_a_producer, comma_separated, comma_separated_by_its_name, events_that_are_there, a_producer_that_is_interrupted, a_condition, a_rate, a_batch_that_is_refused, interrupted_twice, waiting_is_said, a_quiet_follower_comes_back, a_subscription_that_ends,
          a_reader_that_has_enough, lists_on_a_terminal, what_a_start_suggests, progress_on_a_terminal])
