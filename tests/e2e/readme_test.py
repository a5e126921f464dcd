#!/usr/bin/env python3
"""Every command of the README is run as written, but for the address: `make` words are checked to exist, the rest runs
against a server that holds the example data."""
import os
import re
import subprocess

from harness import ROOT, main


def commands():
    """Indented blocks and ```sh blocks; a line that ends with a backslash goes on."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as f:
        text = f.read()
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.S | re.M)
    blocks += ["\n".join(re.findall(r"^    (\S.*)$", text, re.M))]
    for line in "\n".join(blocks).replace("\\\n", " ").splitlines():
        line = line.split("  # ")[0].strip()
        if line:
            yield line


def readme(test):
    server = test.server().start()
    assert test.cli("sql", "--server", server.url, "-f", "examples/quickstart.sql").returncode == 0
    for stream, name in (("earthquakes", "usgs-earthquakes-week"), ("flights", "us-flights-2001-q1")):
        assert test.cli("produce", "--server", server.url, stream, f"examples/{name}.ndjson").returncode == 0
    with open(os.path.join(ROOT, "Makefile"), encoding="utf-8") as f:
        words = set(re.findall(r"^([a-z-]+):", f.read(), re.M))
    ran = 0
    for line in commands():
        if line.startswith("make "):
            assert line.split()[1] in words, line
            continue
        if line.startswith(("tools/", "git ", "cd ", ".ci/")):
            assert line.split()[0] in ("git", "cd") or os.path.exists(os.path.join(ROOT, line.split()[0])), line
            continue
        ran += 1
        run(test, server, line)
    assert ran >= 4, "the README shows too little"


def run(test, server, line):
    here = line.replace("build/release/bin/millrace", test.binary).replace("http://127.0.0.1:8080", server.url)
    here = here.replace("./data", server.directory)
    if "log verify" in here or "log dump" in here or "millrace doctor" in line:
        here = here.replace("127.0.0.1:8080", "127.0.0.1:0")  # somebody else's node may be there
        assert server.stop() == 0
        done = subprocess.run(here, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=60)
        server.start()
    else:
        live = "SUBSCRIBE" in here or "--follow" in here or "event-stream" in here
        if live:
            here = f"timeout 2 {here}"
        done = subprocess.run(here, shell=True, cwd=ROOT, capture_output=True, text=True, timeout=60,
                              env={**os.environ, "MILLRACE_SERVER": server.url})
        if live and done.returncode == 124:
            return
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    assert '"code"' not in done.stdout, f"{line}\n{done.stdout}"
    assert done.stdout.strip(), f"{line}: no output"


if __name__ == "__main__":
    main([readme])
