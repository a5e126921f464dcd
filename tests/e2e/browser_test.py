#!/usr/bin/env python3
"""Real browsers, Chromium and Firefox, whichever is installed: a page of another origin (browser_page.html) sends, reads,
follows across kills, and speaks WebSocket. It tells its own server what it saw. Without a browser the test is skipped."""
import contextlib
import functools
import hashlib
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.parse

from harness import ROOT, main

NO_SURPRISES = {  # of Firefox: no page but ours, no call to anybody else
    "browser.aboutwelcome.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.safebrowsing.downloads.remote.enabled": False,
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.enabled": False,
}


def chromium(program, profile, url):
    return [program, "--headless", "--no-sandbox", "--no-first-run", "--disable-gpu", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", f"--user-data-dir={profile}", url]


def firefox(program, profile, url):
    with open(os.path.join(profile, "user.js"), "w", encoding="utf-8") as f:
        for name, value in NO_SURPRISES.items():
            f.write(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n")
    return [program, "--headless", "--no-remote", "--profile", profile, url]


BROWSERS = {"chromium": chromium, "google-chrome": chromium, "firefox-esr": firefox, "firefox": firefox}


class Page:
    """The page, its own server, and what it has told that so far."""

    def __init__(self):
        self.seen = {}
        self.news = threading.Condition()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self, status, body=b""):
                self.send_response(status)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):  # pylint: disable=invalid-name
                if not self.path.startswith("/?"):  # an icon, perhaps
                    return self.answer(404)
                with open(os.path.join(ROOT, "tests", "e2e", "browser_page.html"), "rb") as f:
                    return self.answer(200, f.read())

            def do_POST(self):  # pylint: disable=invalid-name
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with outer.news:
                    outer.seen = json.loads(body)
                    outer.news.notify_all()
                self.answer(200)

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def until(self, holds, within=60):
        """What it saw, once that holds."""
        with self.news:
            self.news.wait_for(lambda: "broken" in self.seen or holds(self.seen), within)
            assert "broken" not in self.seen and holds(self.seen), self.seen
            return self.seen

    @contextlib.contextmanager
    def shown(self, test, browser, part, server, **more):
        """In a browser with a profile of its own, which is ended with all its processes."""
        query = urllib.parse.urlencode({"part": part, "server": server.url, **more})
        profile = os.path.join(test.root, "profile")
        os.mkdir(profile)
        command = BROWSERS[browser](browser, profile, f"{self.origin}/?{query}")
        with open(os.path.join(test.root, "browser.log"), "ab") as log, \
             subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                              env={**os.environ, "HOME": profile}) as process:
            try:
                yield self
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                self.server.shutdown()
                self.server.server_close()


def started(test, page, *options):
    server = test.server(options=["--cors-origin", page.origin, *options])
    server.start()
    server.address = f"127.0.0.1:{server.port}"
    return server


def declare(server):
    server.sql("CREATE STREAM s (id BIGINT, name TEXT) WITH (key = 'name', partitions = 2)")


def feed(server, ids):
    return server.produce("s", [{"id": i, "name": f"n{i % 7}"} for i in ids])


def exchange(browser, test):
    """fetch, with a token: preflights, answers and problems that a page can read, their headers, too."""
    tokens = os.path.join(test.root, "tokens.yaml")
    with open(tokens, "w", encoding="utf-8") as f:
        f.write(f"tokens: [{{tenant: a, sha256: {hashlib.sha256(b'of-a').hexdigest()}}}]\n")
    page = Page()
    server = started(test, page, "--tokens", tokens)
    server.call("POST", "/v1/sql", b"CREATE STREAM s (id BIGINT, name TEXT)",
                {"Content-Type": "application/sql", "Authorization": "Bearer of-a"})
    begin = server.call("GET", "/v1/streams/s/events?from=end", None, {"Authorization": "Bearer of-a"})[1]["Millrace-Cursor"]
    with page.shown(test, browser, "exchange", server, token="of-a", begin=begin):
        seen = page.until(lambda seen: "done" in seen)
    answer = json.loads(seen["first"]["body"])
    assert seen["first"]["status"] == 200 and answer["accepted"] == 1 and answer["rejected"][0]["index"] == 1, seen
    assert seen["first"]["headers"]["x-request-id"] and "idempotency-replayed" not in seen["first"]["headers"], seen
    assert seen["again"]["headers"]["idempotency-replayed"] == "true" and json.loads(seen["again"]["body"]) == answer, seen
    assert seen["missing"]["status"] == 404 and json.loads(seen["missing"]["body"])["code"] == "MR-API-0018", seen
    assert seen["read"]["body"] == '{"id":"1","name":"Zürich €"}\n', seen
    assert seen["read"]["headers"]["millrace-cursor"] == answer["cursor"], seen
    assert json.loads(seen["sql"]["body"]) == {"name": "Zürich €"}, seen
    assert f'id: {answer["cursor"]}\ndata: {{"id":1,' in seen["live"], seen
    assert seen["dropped"]["status"] in (200, 204), seen


def follow(browser, test):
    """EventSource across kill -9 and a stop, with events that come while it is away; one follows from the start, one had
    seen nothing but the first id when it was first cut off. No event twice, none left out."""
    page = Page()
    server = started(test, page)
    server.whole = False  # its one stream is dropped
    declare(server)
    at_home, total = server.address, 0

    def more(count):
        nonlocal total
        feed(server, range(total, total + count))
        total += count

    def both(holds, within=60):
        return page.until(lambda seen: all(name in seen and holds(seen[name]) for name in ("all", "late")), within)

    def away():
        """Events come while the browser finds nobody."""
        server.address = "127.0.0.1:0"
        server.start()
        more(10)
        time.sleep(test.random.uniform(0.5, 1.5))  # it tries, and is refused
        server.kill()
        server.address = at_home
        server.start()

    with page.shown(test, browser, "follow", server):
        both(lambda one: one["begun"])
        server.kill()
        away()
        both(lambda one: len(one["ids"]) >= total)
        for _ in range(3):
            more(10)
            if test.random.random() < 0.5:
                both(lambda one: len(one["ids"]) >= total)
            server.kill()
            if test.random.random() < 0.5:
                away()
            else:
                server.start()
            more(10)
            both(lambda one: len(one["ids"]) >= total)
        assert server.stop() == 0
        server.start()
        more(10)
        both(lambda one: len(one["ids"]) >= total)
        stored = [event["id"] for event in server.events("s")]
        end = server.call("GET", "/v1/streams/s/events?from=end")[1]["Millrace-Cursor"]
        server.sql("DROP STREAM s")
        seen = both(lambda one: "failure" in one)
    assert sorted(stored) == list(range(total))
    for one in (seen["all"], seen["late"]):
        assert one["ids"] == stored, (one["ids"], stored)
        assert len(set(one["cursors"])) == total and one["cursors"][-1] == end, one
        assert one["failure"]["code"] == "MR-EVS-0005", one
        assert one["made"] == 1 or browser.startswith("firefox"), one


def socket(browser, test):
    page = Page()
    server = started(test, page)
    declare(server)
    with page.shown(test, browser, "socket", server):
        def events(seen):
            return [event for message in seen.get("got", []) for event in message.get("events", [])]

        seen = page.until(lambda seen: len(events(seen)) == 100 and {"pong": 4} in seen["got"])
        acks = {message["ack"]: message for message in seen["got"] if "ack" in message}
        assert server.stop() == 0
        seen = page.until(lambda seen: "closed" in seen)
    assert (seen["protocol"], seen["extensions"].partition(";")[0]) == ("millrace.v1", "permessage-deflate"), seen
    assert acks[1]["accepted"] == 100 and acks[2] == {**acks[1], "ack": 2, "replayed": True}, acks
    assert {"subscribed": "mine", "cursor": "0-0"} in seen["got"], seen
    assert [m["error"]["code"] for m in seen["got"] if m.get("id") == 3] == ["MR-API-0018"], seen
    assert sorted(event["id"] for event in events(seen)) == list(range(100))
    assert all(event["name"] == f"Zürich € {'abc' * event['id']}" for event in events(seen))
    assert seen["closed"] == {"code": 1001, "reason": "the server is stopping", "wasClean": True}, seen["closed"]


def stranger(browser, test):
    page = Page()
    server = test.server().start()
    declare(server)
    with page.shown(test, browser, "stranger", server):
        seen = page.until(lambda seen: "source" in seen and "socket" in seen)
    assert seen == {"json": "TypeError", "plain": "TypeError", "unseen": "opaque", "read": "TypeError", "source": 2,
                    "socket": 1006}, seen
    assert server.events("s") == []


def of(browser, function):
    one = functools.partial(function, browser)
    one.__name__ = f"{function.__name__}_{browser}"
    return one


def installed():
    """One of each kind."""
    found = {}
    for name, kind in BROWSERS.items():
        if shutil.which(name):
            found.setdefault(kind, name)
    return list(found.values())


if __name__ == "__main__":
    if not installed():
        print(f"skipped: none of {', '.join(BROWSERS)} is installed", file=sys.stderr)
        sys.exit(0)
    main([of(browser, function) for browser in installed() for function in (exchange, follow, socket, stranger)])
