"""What a page of the documentation shows: its commands, and what they print."""
import os
import re
import subprocess

from harness import ROOT

# Words that an indented line begins with if it is a command.
COMMANDS = ("make ", "millrace ", "curl ", "cmake ", "ctest ", "git ", "python3 ", "sudo ", "echo ", "printf ", "umask ", "CCACHE_DISABLE", "tools/", "build/")


def text_of(page):
    with open(os.path.join(ROOT, page), encoding="utf-8") as f:
        return f.read()


def blocks_with_output(page):
    """Each ```sh block and the block behind it, which is what it prints (None: the page does not say)."""
    fences = re.findall(r"^```(\w*)\n(.*?)^```$", text_of(page), re.S | re.M)
    for (kind, text), (next_kind, printed) in zip(fences, fences[1:] + [("end", "")]):
        if kind in ("sh", "bash"):
            yield text, printed if next_kind == "" else None


def lines(page):
    """The commands of a page, one after the other: those of its ```sh blocks, and indented ones. A backslash at the
    end goes on; comments are left out."""
    fence, found = None, []
    for line in text_of(page).replace("\\\n", " ").splitlines():
        if line.startswith("```"):
            fence = None if fence is not None else line[3:]
        elif fence in ("sh", "bash") or (fence is None and line.startswith("    ")):
            found.append(re.split(r"\s{2,}# ", line.strip())[0])
    return [line for line in found if line.startswith(COMMANDS)]


def matches(printed, got):
    """… stands for anything."""
    pattern = re.escape(printed.rstrip("\n")).replace("…", ".*")
    return re.fullmatch(pattern, got.replace("\r\n", "\n").rstrip("\n"), re.S) is not None


def environment(test, server):
    path = os.path.dirname(test.binary) + os.pathsep + os.environ["PATH"]
    return {**os.environ, "B": server.url, "MILLRACE_SERVER": server.url, "PATH": path}


def run(test, server, command, cwd=None, timeout=60):
    return subprocess.run(["bash", "-c", command], env=environment(test, server), cwd=cwd or test.root, capture_output=True,
                          text=True, timeout=timeout)
