"""What the end-to-end tests share: the real binary in a temporary directory, its HTTP interface, and real kills.

Standard library only (what a test needs beyond it is its own). Processes are ended by their own id. After a test its servers are killed, started and stopped
once more, and every data directory has to pass `millrace log verify --recompute` after the kill and after the stop.
"""
import argparse
import contextlib
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXAMPLES = os.path.join(ROOT, "examples")


class Refused(Exception):
    """An answer that is not 2xx."""

    def __init__(self, status, body, headers=None):
        super().__init__(f"{status}: {body[:300]}")
        self.status = status
        self.headers = headers or {}
        self.body = body
        try:
            self.problem = json.loads(body)
        except ValueError:
            self.problem = {}


class Server:
    """One data directory, and the process that serves it now."""

    def __init__(self, binary, directory, workers=1, options=()):
        self.binary = binary
        self.directory = directory
        self.workers = workers
        self.options = list(options)
        self.address = "127.0.0.1:0"
        self.process = None
        self.port = None
        self.spoiled = False  # by the test: it has no verification to pass
        self.whole = True  # no retention: all can be computed again
        self.log = directory.rstrip("/") + ".log"

    def start(self, workers=None, within=60, until="/readyz"):
        if workers is not None:
            self.workers = workers
        port_file = os.path.join(self.directory, "http.port")
        with contextlib.suppress(FileNotFoundError):
            os.remove(port_file)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.binary, "serve", "--data", self.directory, "--http", self.address, "--workers",
                 str(self.workers), *self.options], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.tail()}")
            with contextlib.suppress(OSError, ValueError, Refused, http.client.HTTPException):
                with open(port_file, encoding="ascii") as f:
                    self.port = int(f.read())
                self.call("GET", until)
                return self
            time.sleep(0.01)
        raise AssertionError(f"the server was not ready after {within} s:\n{self.tail()}")

    def tail(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()[-3000:]

    def kill(self):
        """kill -9: nothing is flushed, nobody is told."""
        if self.process and self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
        if self.process:
            self.process.wait()
        self.process = None

    def stop(self, with_signal=signal.SIGTERM, within=60):
        os.kill(self.process.pid, with_signal)
        code = self.process.wait(within)
        self.process = None
        return code

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def call(self, method, path, body=None, headers=None, timeout=120):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            text = answer.read()
            if answer.status >= 300:
                raise Refused(answer.status, text.decode("utf-8", "replace"), answer.headers)
            return text, answer.headers
        finally:
            connection.close()

    def refusal(self, method, path, body=None, headers=None):
        """What a call that must be refused is refused with."""
        try:
            text, _ = self.call(method, path, body, headers)
        except Refused as refused:
            return refused
        raise AssertionError(f"{method} {path} {str(body)[:200]} was answered: {text[:300]}")

    def raw(self, data, timeout=10):
        """Bytes to a connection of their own; what comes back until the server ends it."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as connection:
            got = b""
            with contextlib.suppress(ConnectionError):  # it may refuse what is only half sent
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionError):
                while piece := connection.recv(1 << 16):
                    got += piece
            return got

    def sql_bytes(self, text):
        return self.call("POST", "/v1/sql", text.encode(), {"Content-Type": "application/sql"})[0]

    def sql(self, text):
        rows = [json.loads(line) for line in self.sql_bytes(text).splitlines() if line.strip()]
        if rows and "error" in rows[-1]:
            raise Refused(500, json.dumps(rows[-1]["error"]))
        return rows

    def produce(self, stream, events, key=None):
        body = "".join(e if isinstance(e, str) else json.dumps(e) + "\n" for e in events).encode()
        headers = {"Content-Type": "application/x-ndjson"}
        if key:
            headers["Idempotency-Key"] = key
        return json.loads(self.call("POST", f"/v1/streams/{stream}/events", body, headers)[0])

    def events(self, stream, partition=None):
        """All stored events, by cursor, as the server has them."""
        out = []
        target = f"/v1/streams/{stream}/events?limit=5000&from=start"
        if partition is not None:
            target += f"&partition={partition}"
        while True:
            body, headers = self.call("GET", target)
            lines = body.decode().splitlines()
            out += [json.loads(line) for line in lines]
            cursor = headers.get("Millrace-Cursor")
            if not lines or not cursor:
                return out
            target = f"/v1/streams/{stream}/events?limit=5000&from={cursor}"
            if partition is not None:
                target += f"&partition={partition}"

    def partitions(self, stream, count):
        return [self.events(stream, p) for p in range(count)]

    def wait_running(self, name, within=60):
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            states = {row["name"]: row["state"] for row in self.sql("SHOW QUERIES")}
            if states.get(name) == "running":
                return
            assert not states.get(name, "").startswith("failed"), states[name]
            time.sleep(0.02)
        raise AssertionError(f"{name} is not running: {states}")

    def metric(self, name, page="/metrics"):
        for line in self.call("GET", page)[0].decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[-1])
        return None

    def verify(self, recompute=True):
        command = [self.binary, "log", "verify", "--data", self.directory]
        return subprocess.run(command + (["--recompute"] if recompute else []), capture_output=True, text=True,
                              timeout=600)

    def check_verify(self):
        done = self.verify(self.whole)
        assert done.returncode == 0, f"log verify failed:\n{done.stdout}{done.stderr}"


class Test:
    """A context for one test: a directory, its servers, its random numbers."""

    def __init__(self, binary, seed):
        self.binary = binary
        self.seed = seed
        self.random = random.Random(seed)
        self.root = tempfile.mkdtemp(prefix="millrace-e2e-")
        self.servers = []

    def server(self, name="data", workers=1, options=()):
        server = Server(self.binary, os.path.join(self.root, name), workers, options)
        self.servers.append(server)
        return server

    def cli(self, *arguments, stdin=None, timeout=120, env=None):
        return subprocess.run([self.binary, *arguments], input=stdin, capture_output=True, text=True, timeout=timeout,
                              cwd=ROOT, env={**os.environ, **(env or {})})

    def verify(self):
        """What must hold at the end of every test, wherever its servers were."""
        for server in self.servers:
            server.kill()
            if server.spoiled or not os.path.isdir(server.directory):
                continue
            server.check_verify()
            server.address = "127.0.0.1:0"
            server.start()
            code = server.stop()
            assert code == 0, f"the last stop ended with {code}"
            server.check_verify()

    def close(self, keep):
        for server in self.servers:
            server.kill()
        if keep:
            print(f"kept: {self.root}")
        else:
            shutil.rmtree(self.root, ignore_errors=True)


def load_lines(name):
    with open(os.path.join(EXAMPLES, name), encoding="utf-8") as f:
        return f.readlines()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def main(tests):
    """Runs every test function; the last line counts them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--keep", action="store_true", help="keep the data directories")
    parser.add_argument("only", nargs="*", help="names of tests")
    arguments = parser.parse_args()
    seed = int(os.environ.get("MILLRACE_SEED", str(random.SystemRandom().randrange(1 << 32))))
    failed = ran = 0
    for function in tests:
        if arguments.only and function.__name__ not in arguments.only:
            continue
        ran += 1
        test = Test(os.path.abspath(arguments.binary), seed)
        started = time.monotonic()
        try:
            function(test)
            test.verify()
            print(f"ok    {function.__name__} ({time.monotonic() - started:.1f} s)", flush=True)
        except Exception:  # the next test still runs
            failed += 1
            traceback.print_exc()
            for server in test.servers:
                if os.path.exists(server.log):
                    print(f"-- {server.log}:\n{server.tail()}")
            print(f"FAILED {function.__name__}, MILLRACE_SEED={seed}", flush=True)
        finally:
            test.close(arguments.keep)
    print(f"{ran - failed} passed, {failed} failed, seed {seed}")
    sys.exit(1 if failed or ran == 0 else 0)
