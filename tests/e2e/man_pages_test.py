#!/usr/bin/env python3
"""The manual pages hold what --help says, and the linters of both implementations of man have nothing to say."""
import os
import re
import shutil
import subprocess

from harness import main

# What mandoc says of a page without a date; ours are the same in every build of a version.
HARMLESS = re.compile(r"missing date, using \"\": TH|^mandoc: see above")


def pages(test):
    folder = os.path.join(test.root, "man")
    os.makedirs(folder, exist_ok=True)
    done = test.cli("man", "--to", folder)
    assert done.returncode == 0 and not done.stderr and not done.stdout, done
    return {name: os.path.join(folder, name) for name in os.listdir(folder)}


def helps(test, *command):
    text = test.cli(*command, "--help").stdout
    names = re.findall(r"^  ([a-z-]+) ", text.partition("\nSubcommands:\n")[2], re.M)
    options = {name for option in re.findall(r"^  (-[^ ]*)", text, re.M) for name in option.split(",") if name[0] == "-"}
    yield command, names, options
    for name in names:
        yield from helps(test, *command, name)


def what_help_says(test):
    there = pages(test)
    tree = list(helps(test))
    top = tree[0][1]
    assert set(there) == {"millrace.1", "millrace.yaml.5"} | {f"millrace-{name}.1" for name in top}, there
    shown = {name: subprocess.run(["mandoc", "-T", "ascii", path], capture_output=True, text=True, check=True).stdout
             for name, path in there.items()}
    shown = {name: re.sub(".\b", "", text) for name, text in shown.items()}
    for command, _, options in tree:
        text = shown[f"millrace-{command[0]}.1" if command else "millrace.1"]
        for option in options:
            assert re.search(rf"^ +(-\w, )?{re.escape(option)}\b", text, re.M), (command, option)
    for name in top:
        assert f"millrace-{name}(1)" in shown["millrace.1"], name
    for setting in re.findall(r"^(\w+):", test.cli("config", "show").stdout, re.M):
        assert re.search(rf"^ +{setting}\b", shown["millrace.yaml.5"], re.M), setting
        assert f"MILLRACE_{setting.upper()}" in shown["millrace.yaml.5"], setting


def lint(test):
    for name, path in sorted(pages(test).items()):
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", path], capture_output=True, text=True)
        said = [line for line in (done.stdout + done.stderr).splitlines() if not HARMLESS.search(line)]
        assert not said, (name, said)
        if shutil.which("groff"):
            done = subprocess.run(["groff", "-ww", "-K", "utf8", "-man", "-T", "utf8", "-z", path], capture_output=True, text=True)
            assert done.returncode == 0 and not done.stderr, (name, done.stderr)


def one_page(test):
    with open(pages(test)["millrace-serve.1"], encoding="utf-8") as f:
        assert test.cli("man", "millrace-serve.1").stdout == f.read()
    assert test.cli("man").stdout.startswith(".TH MILLRACE 1 ")
    wrong = test.cli("man", "serve")
    assert wrong.returncode == 2 and "there are millrace-audit.1 " in wrong.stderr, wrong
    nowhere = test.cli("man", "--to", "/there/is/nothing")
    assert nowhere.returncode == 1 and "MR-CLI-0006" in nowhere.stderr, nowhere


if __name__ == "__main__":
    main([what_help_says, lint, one_page])
