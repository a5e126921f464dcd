#!/usr/bin/env python3
"""Checks what the documentation promises: links lead somewhere, `make` words and paths exist, the architecture page names
every folder, every module has its page, every error code has its line and one class."""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
MAKE_WORD = re.compile(r"`make ([a-z-]+)|^\s*make ([a-z-]+)", re.M)
PATH = re.compile(r"`((?:tools|docs|shared|services|tests|bench|examples|cmake)/[A-Za-z0-9_./-]+)`")
CODE = re.compile(r'"(MR-[A-Z]+-\d{4})"')
CODE_OF_CLASS = re.compile(r'Code::(k\w+),\s*"(MR-[A-Z]+-\d{4})"')
CODE_RANGE = re.compile(r"(MR-[A-Z]+)-(\d{4})(?: to MR-[A-Z]+-(\d{4}))?")
problems = []


def tracked(*patterns):
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", *patterns], cwd=ROOT, text=True,
                         capture_output=True, check=True).stdout.split()
    return [n for n in out if os.path.exists(os.path.join(ROOT, n))]


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def check_links(page, text):
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target) or target.startswith("#"):
            continue
        path = os.path.normpath(os.path.join(ROOT, os.path.dirname(page), target.split("#")[0]))
        if not os.path.exists(path):
            problems.append(f"{page}: the link {target} leads nowhere")


def check_words(page, text, words):
    for match in MAKE_WORD.findall(text):
        word = match[0] or match[1]
        if word not in words:
            problems.append(f"{page}: there is no `make {word}`")


def check_paths(page, text):
    if page == "CHANGELOG.md" or page.startswith("docs/adr/"):
        return  # they speak of their own time
    for path in PATH.findall(text):
        if not os.path.exists(os.path.join(ROOT, path.rstrip("/."))):
            problems.append(f"{page}: {path} is not there")


def check_modules():
    for root in ("shared/libraries", "services"):
        for name in sorted(os.listdir(os.path.join(ROOT, root))):
            folder = f"{root}/{name}"
            if os.path.isdir(os.path.join(ROOT, folder)) and not os.path.exists(os.path.join(ROOT, folder, "README.md")):
                problems.append(f"{folder} has no README.md")


def check_architecture_lists_folders():
    page = "docs/architecture/README.md"
    if not os.path.exists(os.path.join(ROOT, page)):
        problems.append(f"{page} is missing")
        return
    text = read(page)
    for root in ("shared/libraries", "services", "tests"):
        for name in sorted(os.listdir(os.path.join(ROOT, root))):
            if os.path.isdir(os.path.join(ROOT, root, name)) and name not in text:
                problems.append(f"{page} does not name {root}/{name}")


def check_error_codes():
    used, classes = {}, {}
    for name in tracked("services/*.cc", "services/*.h", "shared/*.cc", "shared/*.h", "bench/*.cc", "bench/*.h"):
        if "_test." in name or "/testing/" in name or "http_testing" in name:
            continue
        text = read(name)
        used.update((code, name) for code in CODE.findall(text))
        for kind, code in CODE_OF_CLASS.findall(text):
            if classes.setdefault(code, kind) != kind:
                problems.append(f"{name}: {code} is {kind} here and {classes[code]} elsewhere: one code, one meaning")
    documented = set()
    for page in ("docs/errors.md", "docs/sql/errors.md"):
        for area, first, last in CODE_RANGE.findall(read(page)):
            documented.update(f"{area}-{n:04}" for n in range(int(first), int(last or first) + 1))
    problems.extend(f"{used[code]}: {code} is not in docs/errors.md" for code in sorted(used.keys() - documented))
    problems.extend(f"docs/errors.md: nothing uses {code}" for code in sorted(documented - used.keys()))


def main():
    words = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.M))
    for page in tracked("*.md"):
        text = read(page)
        check_links(page, text)
        check_words(page, text, words)
        check_paths(page, text)
    check_modules()
    check_architecture_lists_folders()
    check_error_codes()
    print("\n".join(problems) if problems else "documentation: ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
