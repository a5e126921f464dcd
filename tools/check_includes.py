#!/usr/bin/env python3
"""Include arrows never run in circles: what each module may include, from docs/architecture/README.md.

A module is a folder of shared/libraries or services. Tests and benchmarks may include anything; a file under a module's
internal/ or testing/ may be included by that module only (testing/ and kit/ also by tests).
"""
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.M)

# Direct arrows; what they reach in turn is allowed, too.
MAY = {
    "base": [],
    "event": ["base"],
    "log": ["event"],
    "state": ["event"],
    "metadata": ["event"],
    "formats": ["event"],
    "engine": ["log", "state", "formats"],
    "sql": ["engine", "metadata"],
    "net": ["base"],
    "telemetry": ["base"],
    "sim": ["engine"],
    "schema": ["base"],
    "avro": ["schema", "event"],
    "json-schema": ["schema"],
    "protobuf": ["schema", "formats"],
    "event-store": ["sql"],
    "stream-processor": ["sql"],
    "event-gateway": ["sql", "avro", "protobuf", "net", "telemetry"],
    "schema-registry": ["avro", "json-schema", "protobuf", "formats", "metadata", "net", "telemetry"],
    "bench": ["stream-processor", "schema-registry", "net"],
    "node": ["event-store", "stream-processor", "event-gateway", "schema-registry", "telemetry", "net", "bench", "sim"],
}


def reach(module, seen=None):
    seen = set() if seen is None else seen
    for other in MAY[module]:
        if other not in seen:
            seen.add(other)
            reach(other, seen)
    return seen


def circle():
    for module in MAY:
        if module in reach(module):
            return module
    return None


def module_of(path):
    for prefix in ("shared/libraries/", "services/"):
        if path.startswith(prefix):
            return path[len(prefix):].split("/")[0]
    return path.split("/")[0]


def find(name):
    for root in ("shared/libraries", "services", "."):
        path = os.path.normpath(os.path.join(root, name))
        if os.path.exists(os.path.join(ROOT, path)):
            return path
    return None


def is_test(path):
    return path.startswith("tests/") or re.search(r"(_test|_bench|_testing|_world)\.(cc|h)$|/(testing|kit)/", path)


def problems():
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.cc", "*.h"], cwd=ROOT, text=True,
                           capture_output=True, check=True).stdout.split()
    if circle():
        yield f"the arrows themselves run in a circle through {circle()}"
    for path in names:
        if not os.path.exists(os.path.join(ROOT, path)):
            continue
        module = module_of(path)
        if module not in MAY and not path.startswith("tests/"):
            yield f"{path}: the module {module} is not in the list of tools/check_includes.py"
            continue
        with open(os.path.join(ROOT, path), encoding="utf-8") as f:
            text = f.read()
        for name in INCLUDE.findall(text):
            target = find(name)
            if target is None:
                continue
            other = module_of(target)
            if "/internal/" in target and other != module:
                yield f"{path}: {name} is internal to {other}"
            if is_test(path) or other == module:
                continue
            if target.startswith("tests/") or is_test(target):
                yield f"{path}: includes test code, {name}"
            elif other not in reach(module):
                yield f"{path}: {module} must not include {other} ({name})"


def main():
    found = list(problems())
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
