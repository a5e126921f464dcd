#!/usr/bin/env python3
"""The shells' completion, asked as a shell asks it, against what --help says."""
import os
import re
import shutil
import subprocess

from harness import main


def script(test, shell):
    path = os.path.join(test.root, f"completion.{shell}")
    done = test.cli("completion", shell)
    assert done.returncode == 0 and not done.stderr, done
    with open(path, "w", encoding="utf-8") as f:
        f.write(done.stdout)
    return path


def ran(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and not done.stderr, done
    return done.stdout


def quoted(words):
    return "(" + " ".join(f"'{word}'" for word in words) + ")"


def in_bash(path, lines):
    """What bash offers for the last word of each line, its words taken apart as bash does."""
    asks = "".join(f'COMP_WORDS={quoted(words)} COMP_CWORD={len(words) - 1}; _millrace; echo "${{COMPREPLY[*]}}"\n'
                   for words in lines)
    return [line.split() for line in ran("bash", "-c", f"source {path}\n{asks}").split("\n")[:-1]]


def helps(test, *command):
    """Every command with its subcommands and options, as --help lists them."""
    text = test.cli(*command, "--help").stdout
    names = re.findall(r"^  ([a-z-]+) ", text.partition("\nSubcommands:\n")[2], re.M)
    options = re.findall(r"^  (-[^ ]*)", text, re.M)
    yield command, names, {name for option in options for name in option.split(",") if name.startswith("-")}
    for name in names:
        yield from helps(test, *command, name)


def bash(test):
    path = script(test, "bash")
    tree = list(helps(test))
    assert len(tree) > 15, tree
    answers = in_bash(path, [["millrace", *command, "-"] for command, _, _ in tree])
    for (command, _, options), offered in zip(tree, answers):
        assert options and set(offered) == options, (command, options, offered)
    parents = [(command, names) for command, names, _ in tree if names]
    for (command, names), offered in zip(parents, in_bash(path, [["millrace", *command, ""] for command, _ in parents])):
        assert offered == names, (command, names, offered)
    cases = [("co", "consume config completion"), ("log v", "verify"), ("completion ", "bash zsh fish"),
             ("sql --output ", "table json ndjson csv"), ("sql --output =", "table json ndjson csv"), ("sql --output = j", "json"),
             ("sql -c log --out", "--output"), ("bench start --case a", "after_kill"), ("log verify --data -", ""),
             ("consume log ", ""), ("nothing of ours", "")]
    for (line, expected), offered in zip(cases, in_bash(path, [["millrace", *line.split(" ")] for line, _ in cases])):
        assert offered == expected.split(), (line, expected, offered)


def zsh_and_fish(test):
    """Only where they are installed."""
    paths = {shell: script(test, shell) for shell in ("zsh", "fish")}
    for shell, path in paths.items():
        if shutil.which(shell):
            ran(shell, "-n", path)
        else:
            print(f"      {shell} is not installed: its script was not read by it")
    if shutil.which("fish"):
        for line, expected in (("sql --output ", {"table", "json", "ndjson", "csv"}), ("log ", {"verify", "dump"}),
                               ("log verify --re", {"--recompute"}), ("completion ", {"bash", "zsh", "fish"})):
            text = ran("fish", "--no-config", "-c", f"source {paths['fish']}; complete -C 'millrace {line}'")
            assert {answer.split("\t")[0] for answer in text.splitlines()} == expected, (line, text)


if __name__ == "__main__":
    main([bash, zsh_and_fish])
