#!/usr/bin/env python3
"""`millrace top`: a page for a pipe, a screen for a terminal, which is put back at every end."""
import os
import re
import signal

from harness import free_port, main
from terminal import Terminal

ENTER, LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"


def started(test):
    server = test.server().start()
    server.sql("CREATE STREAM clicks (page TEXT, n BIGINT); CREATE MATERIALIZED VIEW per_page AS SELECT page, count(*) AS n FROM "
               "clicks GROUP BY page; CREATE STREAM many AS SELECT page FROM clicks WHERE n > 5")
    server.produce("clicks", [{"page": str(n), "n": n} for n in range(100)])
    server.wait_running("per_page")
    return server


def one_page(test):
    server = started(test)
    for arguments in (["--once"], []):  # no terminal: no screen
        done = test.cli("top", "--server", server.url, "--interval", "200ms", *arguments)
        assert done.returncode == 0 and "\x1b" not in done.stdout and not done.stderr, done
        assert re.search(r"^in +\d+ events/s", done.stdout, re.M), done.stdout
        assert re.search(r"^ many +\| stream +\| clicks +\| .*\| running$", done.stdout, re.M), done.stdout
        assert re.search(r"^ per_page +\| view +\| clicks +\| +\S+.* \| +[\d.]+ k?B \| +\S+ \| running$", done.stdout, re.M), done.stdout
    server.sql("PAUSE per_page")
    assert "paused" in test.cli("top", "--server", server.url, "--interval", "100ms", "--sort", "name").stdout


def mistakes(test):
    nobody = f"http://127.0.0.1:{free_port()}"
    assert test.cli("top", "--server", nobody).returncode == 3
    assert test.cli("top", "--sort", "nothing").returncode == 2
    assert test.cli("top", "--interval", "1ms").returncode == 2
    terminal = Terminal([test.binary, "top", "--server", nobody])
    assert terminal.ends() == 3 and "MR-CLI-0001" in terminal.shown and ENTER not in terminal.shown
    terminal.close()


def live(test):
    """Every end puts the terminal back: a key, ctrl-C, a signal."""
    server = started(test)
    ends = [lambda t: t.send("q"), lambda t: t.send("\x03"), lambda t: os.kill(t.process.pid, signal.SIGTERM),
            lambda t: os.kill(t.process.pid, signal.SIGHUP)]
    for end in ends:
        terminal = Terminal([test.binary, "top", "--server", server.url, "--interval", "100ms"], columns=120)
        terminal.expect(re.escape(ENTER))
        for _ in range(2):
            terminal.expect(r"\x1b\[H.*per_page")
        end(terminal)
        assert terminal.ends() == 0, terminal.shown
        assert terminal.shown.endswith(LEAVE) and terminal.restored(), terminal.shown[-200:]
        terminal.close()


def a_server_that_goes(test):
    server = started(test)
    server.address = f"127.0.0.1:{server.port}"
    terminal = Terminal([test.binary, "top", "--server", server.url, "--interval", "100ms"], columns=120)
    terminal.expect("per_page")
    terminal.send("n")
    server.kill()
    terminal.expect("MR-CLI-0001")
    server.start()
    terminal.expect("per_page")
    terminal.resize(100, 12)
    terminal.expect("per_page")
    terminal.send("q")
    assert terminal.ends() == 0 and terminal.restored()
    terminal.close()


if __name__ == "__main__":
    main([one_page, mistakes, live, a_server_that_goes])
