#!/usr/bin/env python3
"""Checks what the documentation promises: links lead somewhere, `make` words and paths exist; the architecture page lists
the folders there are and every decision; the glossary names types there are; every module has its page, and the files and
types on it exist; the page of libraries is what is installed and included; every error code has its line and one class."""
import fnmatch
import glob
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
SCREEN = 60  # lines of a module's page
PARTED = ("shared/libraries", "services", "tests")  # the architecture lists what is in them
TOOLCHAIN = {"libclang-rt-14-dev", "dpkg-dev"}  # the fuzzers' runtime, the package's tools: nothing includes them
HOUSE_WORDS = ("event", "stream", "partition", "offset", "watermark", "late", "step", "snapshot", "position", "subject",
               "version", "pattern", "match", "sink", "delivery", "cut", "frame", "task", "worker")
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


def is_test(path):
    return bool(re.search(r"^tests/|_(test|bench|testing|world)\.(cc|h)$|/test_\w+\.h$|/(testing|kit)/", path))


class Sources:
    """Every source file with its text, read once."""

    def __init__(self):
        self.texts = {name: read(name) for name in tracked("*.cc", "*.h")}
        self.words = set().union(*(re.findall(r"\w+", text) for text in self.texts.values()))


def check_modules(sources):
    modules = [f"{root}/{name}" for root in ("shared/libraries", "services") for name in folders(root)]
    for module in modules + ["bench"]:
        page = f"{module}/README.md"
        if not os.path.exists(os.path.join(ROOT, page)):
            problems.append(f"{module} has no README.md")
        else:
            check_module_page(page, read(page), sources)
    check_types("tests/README.md", read("tests/README.md"), sources)


def check_module_page(page, text, sources):
    """One screen, what it must not depend on, and only files and types that are there."""
    if text.count("\n") > SCREEN:
        problems.append(f"{page} has {text.count(chr(10))} lines: a screen has {SCREEN}")
    if not re.search(r"must\s+not\s+depend|nothing\s+depends", text, re.I):
        problems.append(f"{page} does not say what the module must not depend on")
    for name in re.findall(r"[`(]([a-z_*<>/-]+\.(?:h|cc|\*|\{h,cc\}))[`)]", text):
        pattern = re.sub(r"<\w+>", "*", name).replace("{h,cc}", "*")
        places = (f"{ROOT}/{os.path.dirname(page)}/**", ROOT, f"{ROOT}/services", f"{ROOT}/shared/libraries")
        if not any(glob.glob(f"{place}/{pattern}", recursive=True) for place in places):
            problems.append(f"{page}: {name} is not there")
    check_types(page, text, sources)


def check_types(page, text, sources):
    for name in re.findall(r"`([A-Z][a-z]+[A-Z]?\w*)(?:\(\))?`", text):
        if name not in sources.words:
            problems.append(f"{page}: there is no {name} in the code")


def check_glossary(sources):
    page = "docs/architecture/glossary.md"
    text = read(page)
    words = re.findall(r"^\| \*\*(.+?)\*\* \|", text, re.M)
    problems.extend(f"{page}: {word} stands behind {before}, or twice"
                    for before, word in zip(words, words[1:]) if word <= before)
    problems.extend(f"{page} does not have {word}" for word in HOUSE_WORDS if word not in words)
    for row in text.splitlines():
        for name in re.findall(r"`(\w+)`", row.rsplit("|", 2)[-2] if row.startswith("| **") else ""):
            if name not in sources.words:
                problems.append(f"{page}: there is no {name} in the code")


def folders(root):
    """The folders directly under root that hold something."""
    depth = root.count("/") + 1 if root else 0
    return sorted({name.split("/")[depth] for name in tracked(root or ".") if name.count("/") > depth})


def check_architecture():
    page = "docs/architecture/README.md"
    text = read(page)
    listed = dict(re.findall(r"^\| `([\w/.-]+)` \|.*\| `?([\w/.-]*)[^|]*\|$", text, re.M))
    there = {f"{root}/{name}" for root in PARTED for name in folders(root)}
    there.update(name for name in folders("") if not any(root.split("/")[0] == name for root in PARTED))
    there.discard(".ci")
    problems.extend(f"{page} does not list {name}" for name in sorted(there - listed.keys()))
    problems.extend(f"{page} lists {name}, which is not there" for name in sorted(listed.keys() - there))
    for name, start in listed.items():
        if "." in start and not os.path.exists(os.path.join(ROOT, name, start)):
            problems.append(f"{page}: {name}/{start} is not there")
    for adr in tracked("docs/adr/*.md"):
        if f"../adr/{os.path.basename(adr)}" not in text:
            problems.append(f"{page} does not link {adr}")


def check_dependencies(sources):
    """The table of ADR 3: package, include, who includes it outside tests."""
    page = "docs/adr/0003-dependencies.md"
    rows = re.findall(r"^\| `([\w.-]+)` \| `([\w/-]+)` \| (.+?) \|$", read(page), re.M)
    installed = set(re.findall(r"^\w+ ([\w.-]+-dev)$", read("tools/packages.txt"), re.M)) - TOOLCHAIN
    named = {package for package, _, _ in rows}
    problems.extend(f"{page} does not name {p}, which tools/packages.txt installs" for p in sorted(installed - named))
    problems.extend(f"{page} names {p}, which tools/packages.txt does not install" for p in sorted(named - installed))
    for package, prefix, where in rows:
        include = re.compile(rf'^\s*#\s*include\s*[<"]{re.escape(prefix)}', re.M)
        users = [name for name, text in sources.texts.items() if include.search(text)]
        if not users:
            problems.append(f"{page}: nothing includes {prefix}")
        if where == "everywhere":
            continue
        patterns = re.findall(r"`([^`]+)`", where)
        users = [name for name in users if not is_test(name)]
        problems.extend(f"{name} includes {prefix} of {package}: {page} does not allow it"
                        for name in users if not any(fnmatch.fnmatch(name, p) for p in patterns))
        problems.extend(f"{page}: {p} does not include {prefix}"
                        for p in patterns if not any(fnmatch.fnmatch(name, p) for name in users))


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
    sources = Sources()
    check_modules(sources)
    check_architecture()
    check_glossary(sources)
    check_dependencies(sources)
    check_error_codes()
    print("\n".join(problems) if problems else "documentation: ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
