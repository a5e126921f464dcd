#!/usr/bin/env python3
"""Lint: formatting, include directions, clang-tidy, shell scripts, documentation.

What clang-tidy passed once is not looked at again: a file's verdict is kept in build/lint-cache under the hash of the
file, of every header of ours that it reaches, and of the configuration.
"""
import argparse
import concurrent.futures
import hashlib
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CACHE = os.path.join(ROOT, "build/lint-cache")
BUILD = os.path.join(ROOT, "build/release")
INCLUDE_ROOTS = ("shared/libraries", "services", ".")
INCLUDE = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.M)


def tracked(*patterns):
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", *patterns], cwd=ROOT, text=True,
                           capture_output=True, check=True).stdout.split()
    return [n for n in names if os.path.exists(os.path.join(ROOT, n))]


def run(command):
    done = subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def check_format():
    code, out = run(["clang-format", "--dry-run", "-Werror", *tracked("*.cc", "*.h")])
    return code == 0, out


def check_shell():
    scripts = tracked("*.sh", ".ci/run")
    code, out = run(["shellcheck", "-x", *scripts])
    return code == 0, out


def check_script(path):
    if not os.path.exists(os.path.join(ROOT, path)):
        return False, f"{path} is missing\n"
    code, out = run([sys.executable, path])
    return code == 0, out


class Sources:
    """Our files' bytes and what each includes, read once."""

    def __init__(self):
        self.known = {}

    def bytes_of(self, path):
        if path not in self.known:
            with open(os.path.join(ROOT, path), "rb") as f:
                text = f.read()
            self.known[path] = (text, [p for p in map(self.find, INCLUDE.findall(text)) if p])
        return self.known[path]

    @staticmethod
    def find(name):
        for root in INCLUDE_ROOTS:
            path = os.path.normpath(os.path.join(root, name.decode()))
            if os.path.exists(os.path.join(ROOT, path)):
                return path
        return None

    def digest(self, path, salt):
        seen, queue = set(), [path]
        while queue:
            current = queue.pop()
            if current not in seen:
                seen.add(current)
                queue.extend(self.bytes_of(current)[1])
        h = hashlib.sha256(salt)
        for name in sorted(seen):
            h.update(name.encode() + b"\0" + self.bytes_of(name)[0])
        return h.hexdigest()


def tidy_one(path, mark):
    code, out = run(["clang-tidy", "--quiet", "-p", BUILD, path])
    lines = [l for l in out.splitlines() if not re.match(r"\d+ warnings? generated|Suppressed|Use -header-filter", l)]
    if code == 0:
        with open(mark, "w", encoding="utf-8"):
            pass
    return code == 0, "\n".join(lines)


def check_tidy():
    code, out = run(["cmake", "--preset", "release", "-DMILLRACE_TESTS=ON"])
    if code != 0:
        return False, out
    os.makedirs(CACHE, exist_ok=True)
    with open(os.path.join(ROOT, ".clang-tidy"), "rb") as f:
        salt = f.read()
    with open(os.path.join(BUILD, "compile_commands.json"), encoding="utf-8") as f:
        compiled = f.read()
    sources, todo = Sources(), []
    for path in tracked("shared/**.cc", "services/**.cc", "bench/**.cc"):
        if path.endswith("_test.cc") or os.path.join(ROOT, path) not in compiled:
            continue
        mark = os.path.join(CACHE, sources.digest(path, salt))
        if not os.path.exists(mark):
            todo.append((path, mark))
    good, output = True, []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        for ok, out in pool.map(lambda job: tidy_one(*job), todo):
            good = good and ok
            if not ok:
                output.append(out)
    return good, "\n".join(output)


CHECKS = {
    "format": check_format,
    "includes": lambda: check_script("tools/check_includes.py"),
    "docs": lambda: check_script("tools/check_docs.py"),
    "shell": check_shell,
    "tidy": check_tidy,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checks", nargs="*", help=f"some of: {' '.join(CHECKS)} (default: all)")
    chosen = parser.parse_args().checks or list(CHECKS)
    failed = 0
    for name in chosen:
        if name not in CHECKS:
            parser.error(f"there is no check {name}")
        ok, out = CHECKS[name]()
        print(f"{name}: {'ok' if ok else 'FAILED'}", flush=True)
        if not ok:
            failed += 1
            print(out)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
