#!/usr/bin/env python3
"""Every command of the README and of the pages in docs/ is run as written, but for the address, and prints what the page
shows. What is not run stands in CHECKED and NOT_RUN, with the reason."""
import glob
import json
import os
import re
import subprocess

import pages
from harness import ROOT, free_port, main

# Pages whose commands another test runs, because they start nodes, terminals or clients of their own.
ELSEWHERE = {
    "docs/cli/shell.md": "shell_test.py",
    "docs/deployment/backup.md": "backup_test.py",
    "docs/deployment/configuration.md": "config_test.py",
    "docs/deployment/security.md": "tokens_test.py",
    "docs/deployment/tls.md": "tls_test.py",
}

# Commands that are not run, and why.
NOT_RUN = [
    ("sudo ", "changes the machine; package_test.py installs the package's files into a folder and runs them there"),
    ("build/debug/", "the debug build"),
    ("build/release/bin/millrace-sim", "minutes; ctest -L sim runs it"),
    ("CCACHE_DISABLE=1 ", "builds all of it anew"),
    ("python3 tests/e2e/data_directory_test.py", "writes a fixture of the repository"),
]


# What builds is looked up instead.


def make_word(line):
    words = set(re.findall(r"^([a-z-]+):", pages.text_of("Makefile"), re.M))
    return set(line.split()[1:]) <= words


def preset(line):
    names = {one["name"] for one in json.loads(pages.text_of("CMakePresets.json"))["configurePresets"]}
    return re.search(r"--preset (\S+)", line)[1] in names


def script(line):
    return os.access(os.path.join(ROOT, line.split()[0]), os.X_OK)


def label(line):
    return re.search(r"-L (\w+)", line)[1] in pages.text_of("tests/e2e/CMakeLists.txt")


CHECKED = {"make": make_word, "cmake": preset, "tools/": script, "ctest": label}


def why_not(line):
    return next((why for start, why in NOT_RUN if line.startswith(start)), None)


def is_checked(line):
    for start, check in CHECKED.items():
        if line.startswith(start):
            assert check(line), f"there is no such thing: {line}"
            return True
    return False


# ----- pages of the API: blocks and what they print, over one server


def settle(server):
    for query in json.loads(server.call("GET", "/v1/queries")[0])["items"]:
        server.wait_running(query["name"])


def follows(command):
    return "SUBSCRIBE" in command or "curl -sN" in command


def followed(test, server, command, event):
    """Each line at once, for two seconds; once they listen, the event that the page names."""
    live = [subprocess.Popen(["bash", "-c", f"timeout 2 {line}"], env=pages.environment(test, server), stdout=subprocess.PIPE)
            for line in command.strip().splitlines()]
    if event:
        pages.run(test, server, "sleep 1; curl -s $B/v1/streams/clicks/events -H 'Content-Type: application/json' -d "
                  f"'{event}'")
    return "\n".join(one.communicate()[0].decode() for one in live)


def shows_what_is_printed(test, page):
    server = test.server().start()
    event = re.search(r"Both were running when `(.*?)` was sent", pages.text_of(page))
    ran = 0
    for command, printed in pages.blocks_with_output(page):
        if follows(command):
            got = followed(test, server, command, event and "SUBSCRIBE" in command and event[1])
        else:
            done = pages.run(test, server, command)
            assert done.returncode == 0, (page, command, done)
            got = done.stdout
        assert printed is not None and pages.matches(printed, got), f"{page}\n{command}\nsays\n{printed}\nis\n{got}"
        settle(server)
        ran += 1
    assert ran >= 3, page


def http(test):
    shows_what_is_printed(test, "docs/api/http.md")


def resources(test):
    shows_what_is_printed(test, "docs/api/resources.md")


def cloud_events(test):
    shows_what_is_printed(test, "docs/api/cloudevents.md")


def dead_letters(test):
    shows_what_is_printed(test, "docs/api/dead-letters.md")


# ----- pages whose commands are lines


def readme(test):
    server = test.server().start()
    assert test.cli("sql", "--server", server.url, "-f", "examples/quickstart.sql").returncode == 0
    for stream, name in (("earthquakes", "usgs-earthquakes-week"), ("flights", "us-flights-2001-q1")):
        assert test.cli("produce", "--server", server.url, stream, f"examples/{name}.ndjson").returncode == 0
    ran = 0
    for line in pages.lines("README.md"):
        if not is_checked(line) and not why_not(line):
            run(test, server, line)
            ran += 1
    assert ran >= 10, "the README shows too little"


def run(test, server, line):
    here = line.replace("build/release/bin/millrace", test.binary).replace("http://127.0.0.1:8080", server.url)
    here = here.replace("./data", server.directory)
    if "log verify" in here or "log dump" in here or "millrace doctor" in line:
        here = here.replace("127.0.0.1:8080", "127.0.0.1:0")  # somebody else's node may be there
        assert server.stop() == 0
        done = pages.run(test, server, here, cwd=ROOT)
        server.start()
    else:
        live = follows(here) or "--follow" in here or "event-stream" in here
        if live:
            here = f"timeout 2 {here}"
        done = pages.run(test, server, here, cwd=ROOT)
        if live and done.returncode == 124:
            return
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    assert '"code"' not in done.stdout, f"{line}\n{done.stdout}"
    assert done.stdout.strip(), f"{line}: no output"


def testing_queries(test):
    """docs/sql/testing.md, over the case that it shows."""
    page = "docs/sql/testing.md"
    case = re.search(r"^```test\n(.*?)^```", pages.text_of(page), re.S | re.M)[1]
    os.makedirs(os.path.join(test.root, "queries"))
    for name in ("queries/visits.test", "visits.test"):
        with open(os.path.join(test.root, name), "w", encoding="utf-8") as f:
            f.write(case)
    server = test.server()
    server.port = 1  # nothing is asked
    server.spoiled = True
    ran = 0
    for line in pages.lines(page):
        done = pages.run(test, server, line)
        assert done.returncode == 0, (line, done)
        ran += 1
    with open(os.path.join(test.root, "visits.test"), encoding="utf-8") as f:
        assert f.read() == case, "--rewrite found something else than the page expects"
    assert ran == 3


def top_and_demo(test):
    """The indented commands of docs/cli/shell.md; its sessions are shell_test.py's."""
    server = test.server().start()
    at = {"millrace demo --rate 200": "timeout -s INT 2 ",
          "millrace demo --serve": f"MILLRACE_SERVER=http://127.0.0.1:{free_port()} timeout -s INT 3 "}
    for line in pages.lines("docs/cli/shell.md"):
        done = pages.run(test, server, at.get(line, "") + line)
        assert done.returncode in ((0, 124, 130) if line in at else (0,)) and not re.search(r"MR-\w+-\d", done.stderr), (line, done)


def schema_registry(test):
    """docs/api/schema-registry.md, over three registries: here, the other, and one for what is taken over."""
    page = "docs/api/schema-registry.md"
    urls, nodes = {}, {}
    for name in ("here", "other", "new"):
        server = test.server(name, options=["--schema-registry", "127.0.0.1:0"]).start()
        urls[name] = "http://127.0.0.1:" + pages.text_of(os.path.join(server.directory, "schema-registry.port")).strip()
        nodes[name] = server.url
    with open(os.path.join(test.root, "order.avsc"), "w", encoding="utf-8") as f:
        f.write('{"type": "record", "name": "order", "fields": [{"name": "id", "type": "long"}, '
                '{"name": "note", "type": "string", "default": ""}]}')
    shown = ""
    for line in pages.lines(page):
        into = urls["new" if "--from" in line else "here"]
        line = line.replace("http://127.0.0.1:8081", urls["here"]).replace("https://other:8081", urls["other"])
        line = line.replace("http://old-registry:8081", urls["other"])
        done = pages.run(test, server, f"export MILLRACE_REGISTRY={into} MILLRACE_SERVER={nodes['here']}; {line}")
        assert done.returncode == 0, (line, done)
        shown += done.stdout
        said = done.stderr
    assert shown.startswith('{"id":1}') and "\ncompatible\n" in shown and '+      "name": "note",' in shown, shown
    assert said == "imported 2 versions of 1 subject\n", said


def every_page(test):
    """No page with commands is left out, and what is not run has its reason."""
    shown = []
    here = {page for page in re.findall(r'"((?:docs/)?[\w/.-]+\.md)"', pages.text_of("tests/e2e/docs_test.py"))}
    for page in ["README.md", *sorted(glob.glob("docs/**/*.md", root_dir=ROOT, recursive=True))]:
        if page.startswith("docs/adr/"):
            continue
        shown += pages.lines(page)
        left = [line for line in pages.lines(page) if not is_checked(line) and not why_not(line)]
        if not left:
            continue
        assert page in here, f"{page}: no test runs {left}"
        if page in ELSEWHERE:
            assert os.path.basename(page) in pages.text_of(f"tests/e2e/{ELSEWHERE[page]}"), page
    for start, why in NOT_RUN:
        assert any(line.startswith(start) for line in shown), f"no page shows it any more: {start} ({why})"
    assert test.cli("--version").returncode == 0


if __name__ == "__main__":
    main([readme, http, resources, cloud_events, dead_letters, testing_queries, top_and_demo, schema_registry, every_page])
