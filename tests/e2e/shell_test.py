#!/usr/bin/env python3
"""`millrace sql` on a terminal, as somebody types at it."""
import contextlib
import os
import re
import signal
import stat
import time

from harness import ROOT, free_port, main
from terminal import PROMPT, Terminal

DEFINE = """CREATE STREAM clicks (visitor TEXT, page TEXT, n BIGINT) WITH (key = 'visitor');
CREATE MATERIALIZED VIEW per_page AS SELECT page, count(*) AS clicks FROM clicks GROUP BY page"""
CTRL_C, CTRL_D, TAB, UP = "\x03", "\x04", "\t", "\x1b[A"


def started(test):
    server = test.server().start()
    server.sql(DEFINE)
    server.produce("clicks", [{"visitor": "ana", "page": "/", "n": 1}, {"visitor": "bob", "page": "/docs"}])
    server.wait_running("per_page")
    return server


@contextlib.contextmanager
def shell(test, server, *arguments, columns=100, env=None):
    environment = {"HOME": test.root, "XDG_STATE_HOME": None, "NO_COLOR": "1", "MILLRACE_SERVER": server.url, **(env or {})}
    terminal = Terminal([test.binary, "sql", *arguments], columns=columns, env=environment)
    try:
        terminal.expect(r"millrace \d.*\\q or ctrl-D leaves")
        terminal.expect(PROMPT)
        yield terminal
    finally:
        terminal.close()


def statements(test):
    """One a line, several a line, one over lines; the prompt says what is open."""
    with shell(test, started(test)) as t:
        t.ask("SELECT visitor, n FROM clicks ORDER BY visitor;",
              r"\n visitor \| n\n-+\+-+\n ana     \|      1\n bob     \| <null>\n\(2 rows\)\n")
        t.ask("SELECT 1 AS a; SELECT 'x;' AS a;", r" a\n---\n 1\n\(1 row\)\n a\n----\n x;\n\(1 row\)\n")
        for line, prompt in (("SELECT (", r"\(> "), ("1) AS one, 'a", "'> "), ("b' AS two /*", r"\*> "), ("*/", "-> ")):
            t.line(line)
            t.expect(prompt)
        t.ask(";", r" one \| two\n-----\+------\n   1 \| a\\nb\n\(1 row\)\n")
        t.ask("SELECT visitor, pge FROM clicks;",
              r"error MR-SQL-0011.*\n1 \| SELECT visitor, pge FROM clicks\n  \|                 \^\^\^\nhint: .*page")
        t.ask("CREATE STREAM other (id BIGINT);", "\nCREATE STREAM\n")
        t.ask("SELECT * FROM other;", r"\n\(0 rows\)\n")
        t.send(CTRL_D)
        assert t.ends() == 0 and t.restored()


def data_does_not_steer_the_terminal(test):
    server = started(test)
    server.produce("clicks", [{"visitor": "eve", "page": "\x1b]0;owned\x07\x1b[2J\u202e\u009b2J"}])
    with shell(test, server) as t:
        t.ask("SELECT page FROM clicks WHERE visitor = 'eve';", r"\\x1b\]0;owned\\x07\\x1b\[2J\\u202e\\x9b2J\n")
        t.ask("SELECT CAST(page AS INTEGER) FROM clicks WHERE visitor = 'eve';", "error MR-|\\(1 row\\)")
        for form in ("json", "csv"):
            t.ask(f"\\output {form}", "")
            t.ask("SELECT page FROM clicks WHERE visitor = 'eve';", "owned")
        assert "\x1b]0" not in t.shown and "\x9b" not in t.shown and "\u202e" not in t.shown


def long_values(test):
    server = started(test)
    server.produce("clicks", [{"visitor": "eve", "page": "x" * 300 + "end"}])
    with shell(test, server, columns=60) as t:
        cut = t.ask("SELECT visitor, page FROM clicks WHERE visitor = 'eve';", r"\n( eve .*)…\n\(1 row; cut to the terminal")
        assert len(cut[1]) == 58, cut
        t.ask("SELECT visitor, page FROM clicks WHERE visitor = 'eve' \\gx", r"-\[ row 1 \]-*\nvisitor \| eve\npage +\| x{300}end\n")
        t.ask("\\x", "always")
        t.ask("SELECT 1 AS a;", r"-\[ row 1 \]\na \| 1\n")
        t.ask("\\x auto", "no room")
        t.ask("\\cut off", "whole")
        t.ask("SELECT page FROM clicks WHERE visitor = 'eve';", r" x{300}end\n\(1 row\)")
        t.resize(40, 20)
        t.ask("\\cut on", "cut to")
        assert len(t.ask("SELECT page FROM clicks WHERE visitor = 'eve';", r"\n( x+…)\n")[1]) == 39


def completion(test):
    with shell(test, started(test)) as t:
        for typed, shown in (("sel", "ect "), ("* from per", "_page "), ("where cli", "cks ")):
            t.send(typed)
            t.expect(re.escape(typed))
            t.send(TAB)
            t.expect(shown)
        t.ask("= 1;", r"/ +\| +1\n")
        t.send("\\d cl")
        t.expect("cl")
        t.send(TAB)
        t.expect("icks ")
        t.ask("", r"visitor.*CREATE STREAM clicks")
        t.send("SHOW ")
        t.expect("SHOW ")
        t.send(TAB)
        t.expect(r"\nCOLUMNS FROM +FUNCTIONS +QUERIES +STREAMS +VIEWS")
        t.send(CTRL_C)
        t.expect(PROMPT)
        t.send("SELECT\t1 AS\tone;\n")  # pasted: no completion
        t.expect(r" one\n-----\n   1\n")


def commands(test):
    server = started(test)
    path = os.path.join(test.root, "some.sql")
    out = os.path.join(test.root, "out.txt")
    with open(path, "w", encoding="utf-8") as f:
        f.write("SELECT 7 AS seven;\n\nSELECT 8 AS eight,\n  nothing;\nSELECT 9;\n")
    with shell(test, server, env={"EDITOR": "sed -i s/1/41/"}) as t:
        t.ask("\\d", r"clicks +\| declared.*per_page +\| view +\| running")
        t.ask("\\d per_page", r"page +\| text.*source: clicks.*CREATE MATERIALIZED VIEW per_page")
        before = len(t.shown)
        t.ask("\\d nothing", "error MR-SQL-")
        assert "-->" not in t.shown[before:], "a place in a statement that nobody has typed"
        t.ask("\\ds", r"clicks +\|")
        t.ask("\\dv", r"per_page +\| clicks +\| running")
        t.ask("\\dq", r"per_page +\| view")
        t.ask("\\df lpa", r"lpad\(text, bigint\)")
        t.ask("\\df *_to_a*", r"regexp_split_to_array")
        t.ask("\\timing", "timing is on")
        t.ask("SELECT 1 AS one;", r"Time: \d+\.\d{3} ms\n")
        t.ask("\\timing off", "timing is off")
        t.line("SELECT 1 + 1 AS sum;")
        t.expect("   2\n")
        t.ask("\\e", r"SELECT 41 \+ 1 AS sum;\n.* sum\n-+\n  42\n")
        t.ask("\\g", "  42\n")
        t.ask(f"\\i {path}", rf"seven.*{re.escape(path)}:4: error MR-SQL-0011.*column 3.*nothing")
        assert "  9\n" not in t.shown
        t.ask("\\i /there/is/nothing", "MR-CLI-0006")
        t.ask(f"\\o {out}", "")
        t.ask("SELECT visitor FROM clicks;", r"\(2 rows\)")
        t.ask("\\o", "")
        with open(out, encoding="utf-8") as f:
            assert f.read() == " visitor\n---------\n ana\n bob\n"
        t.ask("\\o /dev/full", "")
        t.ask("SELECT visitor FROM clicks;", "MR-CLI-0012")
        t.ask("\\o", "")
        t.ask("\\output csv", "")
        t.ask("SELECT visitor, n FROM clicks;", r"visitor,n\r?\nana,1\r?\nbob,\r?\n")
        t.ask("\\output json", "")
        t.ask("SELECT n FROM clicks;", '{"n":1}\n{"n":null}\n')
        t.ask("\\output table", "")
        t.ask("\\h insert", "INSERT INTO stream")
        t.ask("\\h nothing", "MR-CLI-0016")
        t.ask("\\?", r"\\watch \[SECONDS\]")
        t.ask("\\frobnicate", "MR-CLI-0016: there is no command")
        t.line("SELECT count(*) AS n FROM clicks \\watch 0.2")
        for _ in range(2):
            t.expect(r"every 0.2 s.*? 2\n\(1 row\)")
        t.send(CTRL_C)
        t.expect(PROMPT)
        t.line("\\q")
        assert t.ends() == 0 and t.restored()


def subscriptions(test):
    """Rows as they come; ctrl-C ends the subscription, not the shell."""
    server = started(test)
    with shell(test, server, env={"NO_COLOR": None}) as t:
        t.line("SUBSCRIBE TO per_page;")
        t.expect(r"\| page +\| clicks\n.*\+\x1b\[0m +\| \x1b\[32m/\x1b\[0m")
        server.produce("clicks", [{"visitor": "ana", "page": "/a-longer-name"}])
        t.expect("a-longer-name")
        t.send(CTRL_C)
        t.expect(r"\^C\n\(\d+ rows\)\nsubscription ended\n")
        t.ask("SELECT 5 AS five;", "    5\n")
        t.line("SUBSCRIBE TO clicks;")
        time.sleep(0.3)
        server.produce("clicks", [{"visitor": "zoe", "page": "/"}])
        t.expect("zoe")
        t.send(CTRL_C)
        t.expect("subscription ended")


def interrupts(test):
    """What is typed is forgotten; a statement that runs is cancelled, on the server, too."""
    server = started(test)
    server.produce("clicks", [{"visitor": str(n), "page": "/"} for n in range(20_000)])
    with shell(test, server) as t:
        t.send("SELECT nonsense" + CTRL_C)
        t.expect(r"\^C\n")
        t.ask("SELECT 1 AS one;", r"   1\n")
        t.line("SELECT count(*) FROM (SELECT a.d FROM (SELECT DISTINCT repeat(visitor, 2000) AS d FROM clicks) a) b;")
        t.send(CTRL_C)
        t.expect(r"cancelled\n|\^C\n|\(1 row\)")
        t.ask("SELECT 2 AS two;", r"   2\n")
        t.process.send_signal(signal.SIGTERM)
        assert t.ends() == 0 and t.restored()


def history(test):
    """Kept for the next shell, for its owner alone; a space in front keeps a statement out."""
    server = started(test)
    with shell(test, server) as t:
        t.ask(" SELECT 'secret';", "secret\n")
        t.line("SELECT 'first',")
        t.expect("-> ")
        t.ask("'second';", "second\n")
    path = os.path.join(test.root, ".local/state/millrace/history")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    with open(path, encoding="utf-8") as f:
        assert f.read() == "SELECT 'first',\\n'second';\n"
    with shell(test, server) as t:
        t.send(UP + "\n")
        t.expect(r"first +\| second\n")
    elsewhere = os.path.join(test.root, "state")
    with shell(test, server, env={"XDG_STATE_HOME": elsewhere}) as t:
        t.ask("SELECT 1;", "1\n")
    assert os.path.exists(os.path.join(elsewhere, "millrace/history"))


def a_server_that_comes_back(test):
    server = started(test)
    server.address = f"127.0.0.1:{server.port}"
    with shell(test, server) as t:
        server.kill()
        t.ask("SELECT 1;", "error MR-CLI-0001")
        server.start()
        t.ask("SELECT 2 AS two;", rf"   2\n\(1 row\)\nconnected again to {server.url}\n")


def where_no_shell_is_wanted(test):
    """Pipes and files get no prompt and no colour; nobody there is exit code 3."""
    server = started(test)
    done = test.cli("sql", "--server", server.url, stdin="SELECT visitor, n FROM clicks ORDER BY 1")
    assert done.stdout == " visitor | n\n---------+---\n ana     | 1\n bob     |\n" and done.stderr == "(2 rows)\n", done
    for form in ("json", "ndjson"):
        done = test.cli("sql", "--server", server.url, "--output", form, "-c", "SELECT n FROM clicks")
        assert done.stdout == '{"n":1}\n{"n":null}\n', done
    done = test.cli("sql", "--server", server.url, "--output", "csv", "-c", "SELECT 'a,\"b' AS x, n FROM clicks; SELECT 1 AS y")
    assert done.stdout == 'x,n\n"a,""b",1\n"a,""b",\ny\n1\n', done
    terminal = Terminal([test.binary, "sql", "--server", f"http://127.0.0.1:{free_port()}"])
    assert terminal.ends() == 3 and "MR-CLI-0001" in terminal.shown, terminal.shown
    terminal.close()


def a_locale_without_letters(test):
    with shell(test, started(test), env={"LC_ALL": "C"}) as t:
        t.ask("SELECT 'größe 東京' AS \"für\";", r" für\n-+\n größe 東京\n")


def page_blocks():
    """docs/cli/shell.md's sessions: what is typed, line by line, and what is shown."""
    with open(os.path.join(ROOT, "docs/cli/shell.md"), encoding="utf-8") as f:
        blocks = re.findall(r"^```\n(millrace> .*?)^```", f.read(), re.S | re.M)
    for block in blocks:
        typed, shown = [], []
        for line in block.splitlines():
            found = re.match(r"(millrace> |       .> )(.*)", line)
            if found and found[1] == "millrace> " and typed:
                yield typed, "\n".join(shown)
                typed, shown = [], []
            typed.append(found[2]) if found else shown.append(line)
        yield typed, "\n".join(shown)


def the_page(test):
    server = test.server().start()
    ran = 0
    with shell(test, server) as t:
        for typed, shown in page_blocks():
            if typed[0].startswith("\\d"):
                server.wait_running("per_page")
            for line in typed[:-1]:
                t.line(line)
                t.expect(".> ")
            pattern = re.escape(shown).replace("\\ ", " +")
            t.ask(typed[-1], r"\n" + pattern + r"\n")
            ran += 1
    assert ran >= 8, ran


if __name__ == "__main__":
    main([statements, data_does_not_steer_the_terminal, long_values, completion, commands, subscriptions, interrupts, history,
          a_server_that_comes_back, where_no_shell_is_wanted, a_locale_without_letters, the_page])
