#!/usr/bin/env python3
"""Backups of a running node: under load, killed, beside retention, incremental; what is restored is the state at the cut. The commands
of docs/deployment/backup.md as written."""
import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

from harness import ROOT, Refused, free_port, main

sys.path.insert(0, os.path.join(ROOT, "tests", "sql"))
import postgres  # noqa: E402

PAGE = os.path.join(ROOT, "docs", "deployment", "backup.md")
DEFINE = ("CREATE STREAM s (id BIGINT, name TEXT, pad TEXT) WITH (key = 'name', partitions = 2);"
          "CREATE MATERIALIZED VIEW v AS SELECT name, count(*) AS n, sum(id) AS ids FROM s GROUP BY name;"
          "CREATE STREAM large AS SELECT id, name FROM s WHERE id % 10 = 0")
OPTIONS = ["--segment-mb", "8", "--snapshot-mb", "4"]
REGISTRY = ["--schema-registry", "127.0.0.1:0"]


def started(test, name="data", options=(), **kwargs):
    server = test.server(name, options=[*OPTIONS, *options], **kwargs).start()
    server.sql(DEFINE)
    server.wait_running("v")
    return server


class Load:
    """Producers that never stop, through kills of the server; `acknowledged` counts what is there for sure."""

    def __init__(self, server, threads=2, pad=200):
        self.server, self.pad = server, pad
        self.acknowledged = 0
        self.over = threading.Event()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run) for _ in range(threads)]

    def run(self):
        n = 0
        while not self.over.is_set():
            events = [{"id": n + i, "name": f"n{(n + i) % 100}", "pad": "x" * self.pad} for i in range(200)]
            n += 200
            try:
                accepted = self.server.produce("s", events)["accepted"]
            except (Refused, OSError, ValueError, http.client.HTTPException):
                time.sleep(0.01)
                continue
            with self.lock:
                self.acknowledged += accepted
            time.sleep(0.002)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def wait(self, events):
        deadline = time.monotonic() + 60
        while self.acknowledged < events:
            assert time.monotonic() < deadline, self.acknowledged
            time.sleep(0.01)


def command(test, server, folder="backups"):
    return [test.binary, "backup", "--server", server.url, "--data", server.directory, "--to", os.path.join(test.root, folder)]


def back_up(test, server, folder="backups"):
    done = subprocess.run(command(test, server, folder), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done
    return re.match(r"backup (\S+): frames (\d+) to (\d+), ", done.stdout).groups()


def restored(test, name, *options, folder="backups"):
    server = test.server(name, options=OPTIONS)
    done = test.cli("restore", "--from", os.path.join(test.root, folder), "--data", server.directory, *options)
    assert done.returncode == 0, done
    return server


def check_same(origin, copy, at_least):
    """The copy has the beginning of what the origin has, and its answers are those of its own events."""
    events = 0
    for stream in ("s", "large"):
        for partition, (all_events, kept) in enumerate(zip(origin.partitions(stream, 2), copy.partitions(stream, 2))):
            assert kept == all_events[:len(kept)], (stream, partition, len(kept), len(all_events))
            events += len(kept) if stream == "s" else 0
    assert events >= at_least, (events, at_least)
    rows = {}
    for event in copy.events("s"):
        n, ids = rows.get(event["name"], (0, 0))
        rows[event["name"]] = (n + 1, ids + event["id"])
    assert {row["name"]: (row["n"], int(row["ids"])) for row in copy.sql("SELECT * FROM v")} == rows
    assert len(copy.events("large")) == sum(event["id"] % 10 == 0 for event in copy.events("s"))
    return events


def manifest_of(test, name, folder="backups"):
    with open(os.path.join(test.root, folder, "backups", name + ".json"), encoding="utf-8") as f:
        return json.load(f)["backup"]


def write_manifest(test, name, members, folder="backups"):
    digest = hashlib.sha256(json.dumps(members, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()
    with open(os.path.join(test.root, folder, "backups", name + ".json"), "w", encoding="utf-8") as f:
        json.dump({"backup": members, "sha256": digest}, f)


def registry_object(test, name):
    """Of the registry's file in a backup; None: it is not in it."""
    return next((file["sha256"] for file in manifest_of(test, name)["files"] if file["path"] == "registry.db"), None)


def of_registry(server, method, path, body=None):
    with open(os.path.join(server.directory, "schema-registry.port"), encoding="ascii") as f:
        connection = http.client.HTTPConnection("127.0.0.1", int(f.read()), timeout=30)
    try:
        connection.request(method, path, body and json.dumps(body), {"Content-Type": "application/vnd.schemaregistry.v1+json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def register(server, subject, minimum=0, title=2_000):
    schema = {"type": "object", "properties": {"id": {"type": "integer", "minimum": minimum}}, "title": "x" * title}
    status, made = of_registry(server, "POST", f"/subjects/{subject}/versions", {"schemaType": "JSON", "schema": json.dumps(schema)})
    assert status == 200, made
    return made["id"]


def objects(test, folder="backups"):
    path = os.path.join(test.root, folder, "objects")
    return {name: os.stat(os.path.join(path, name)) for name in os.listdir(path)}


def the_state_at_the_cut(test):
    server = started(test)
    with Load(server) as load:
        load.wait(30_000)
        acknowledged = load.acknowledged
        back_up(test, server)
        load.wait(load.acknowledged + 2_000)
    copy = restored(test, "copy", "--recompute").start()
    check_same(server, copy, acknowledged)
    done = test.cli("audit", "show", "--data", copy.directory)
    assert done.returncode == 0 and "CREATE STREAM" in done.stdout and "CUT BACKUP" in done.stdout and "END BACKUP" not in done.stdout, done
    copy.produce("s", [{"id": 1, "name": "after"}])
    assert copy.sql("SELECT n FROM v WHERE name = 'after'") == [{"n": 1}]
    # The same with other workers, and without its snapshots.
    other = restored(test, "other")
    shutil.rmtree(os.path.join(other.directory, "snapshots"))
    check_same(server, other.start(workers=2), acknowledged)


def killed_at_any_point(test):
    """kill -9 of the backup, and of the server while a backup is made: what was copied is kept, and a finished one is whole, with the
    schemas that its streams name. Nothing stays of a copy of the registry."""
    server = started(test, options=REGISTRY)
    server.address = f"127.0.0.1:{free_port()}"
    server.stop()
    server.start()
    registry_copy = os.path.join(server.directory, "registry.copy")
    for number in range(20):
        register(server, f"large{number}", title=500_000)  # copying them takes a while
    with Load(server) as load:
        load.wait(20_000)
        for number in range(8):
            register(server, f"s{number}", number)
            server.sql(f"CREATE STREAM c{number} (id BIGINT) WITH (schema = 's{number}')")
            process = subprocess.Popen(command(test, server), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            time.sleep(test.random.uniform(0, 0.15))
            if number % 2:
                server.kill()
                server.start()
                assert not os.path.exists(registry_copy), "it stays"
            else:
                os.kill(process.pid, signal.SIGKILL)
            out, err = process.communicate(timeout=60)
            assert process.returncode in (0, 1, 3, -signal.SIGKILL), (process.returncode, out, err)
            assert process.returncode <= 0 or re.search(r"MR-(CLI|NODE|LOG|FILE)-\d{4}", err), err
        acknowledged = load.acknowledged
        back_up(test, server)
    assert not os.path.exists(registry_copy), "it stays"
    folder = os.path.join(test.root, "backups")
    done = test.cli("backup", "verify", folder)
    assert done.returncode == 0 and "all is well" in done.stdout, done
    names = [line.split()[0] for line in test.cli("backup", "list", folder).stdout.splitlines()]
    assert names and names == sorted(names, key=lambda name: (name.split("-")[0], [int(part) for part in name.split("-")[1:]])), names
    copy = restored(test, "copy", "--recompute")
    copy.options = [*copy.options, *REGISTRY]
    check_same(server, copy.start(), acknowledged)
    for number in range(8):
        assert takes(copy, f"c{number}", [{"id": number}]) == 1
        assert takes(copy, f"c{number}", [{"id": number - 1}]) == 0, "not the schema that it was made with"
    for name in names[:-1][:2]:
        check_same(server, restored(test, name, "--backup", name, "--recompute").start(), 0)


def retention_waits(test):
    server = test.server(options=OPTIONS).start()
    server.sql("CREATE STREAM s (id BIGINT, name TEXT, pad TEXT) WITH (partitions = 2, retention_bytes = '1000000');"
               "CREATE MATERIALIZED VIEW v AS SELECT name, count(*) AS n, sum(id) AS ids FROM s GROUP BY name")
    server.whole = False

    def segments():
        return {name for name in os.listdir(os.path.join(server.directory, "journal")) if name[0] == "0"}

    def wait_gone(some):
        deadline = time.monotonic() + 30
        while segments() & some:
            assert time.monotonic() < deadline, segments()
            time.sleep(0.05)

    with Load(server, pad=2_000) as load:
        load.wait(15_000)
        wait_gone({"000000000001.seg"})  # it works
        held = json.loads(server.call("POST", "/v1/backups")[0])
        time.sleep(0.3)  # what was freed before is gone
        before = segments()
        load.wait(load.acknowledged + 15_000)
        time.sleep(1.5)
        assert before <= segments(), "a held segment is gone"
        assert server.call("POST", f"/v1/backups/{held['id']}/renew")[0] == b""
        metadata, headers = server.call("POST", f"/v1/backups/{held['id']}/cut")
        assert metadata.startswith(b"SQLite format 3\0") and re.fullmatch(r"\d+-\d+", headers["Millrace-Frames"])
        server.call("DELETE", f"/v1/backups/{held['id']}")
        assert server.refusal("POST", f"/v1/backups/{held['id']}/renew").problem["code"] == "MR-NODE-0019"
        wait_gone(before - {max(before)})
        for _ in range(4):
            _, first, _ = back_up(test, server)
    assert int(first) > 1
    # Its beginning is gone: what it had added to the view stands in the snapshots.
    copy = restored(test, "copy")
    copy.whole = False
    copy.start()
    copy.wait_running("v")
    there = sum(row["n"] for row in copy.sql("SELECT n FROM v"))
    assert len(copy.events("s")) < there <= sum(row["n"] for row in server.sql("SELECT n FROM v"))


def the_second_copies_what_is_new(test):
    server = started(test)
    with Load(server, pad=1_000) as load:
        load.wait(30_000)
    back_up(test, server)
    first = objects(test)
    assert sum(stat.st_size > 4 << 20 for stat in first.values()) >= 2, "no sealed segment"
    server.produce("s", [{"id": 7, "name": "new"}])
    shutil.rmtree(os.path.join(test.root, "backups", "backups"))  # as if the first had been interrupted at its end
    os.mkdir(os.path.join(test.root, "backups", "backups"))
    back_up(test, server)
    second = objects(test)
    assert all(second[name].st_mtime_ns == stat.st_mtime_ns for name, stat in first.items() if name != "incoming")
    segment = 9 << 20
    added = sum(stat.st_size for name, stat in second.items() if name not in first)
    assert added < 3 * segment < sum(stat.st_size for stat in first.values()), (added, first)
    check_same(server, restored(test, "copy").start(), 30_001)


def the_schema_registry(test):
    """While streams are made with schemas that were registered just before: each backup has the schemas that its streams name."""
    server = started(test, options=REGISTRY)
    over, ids = threading.Event(), []

    def define():
        while not over.is_set():
            n = len(ids)
            made = register(server, f"s{n}", n)
            server.sql(f"CREATE STREAM c{n} (id BIGINT) WITH (schema = 's{n}')")
            ids.append(made)

    definer = threading.Thread(target=define)
    definer.start()
    with Load(server, pad=50) as load:
        load.wait(2_000)
        made = []
        for _ in range(4):
            count = len(ids)
            made.append((back_up(test, server)[0], count))
    over.set()
    definer.join()
    assert not os.path.exists(os.path.join(server.directory, "registry.copy")), "it stays"
    names = [name for name, _ in made]
    assert all(manifest_of(test, name)["registry"] == "sqlite" and registry_object(test, name) for name in names)
    listed = test.cli("backup", "list", os.path.join(test.root, "backups")).stdout
    assert listed.count("schema registry: sqlite") == 4, listed
    for number, (name, at_least) in enumerate(made):
        copy = test.server(f"copy{number}", options=[*OPTIONS, *REGISTRY])
        done = test.cli("restore", "--from", os.path.join(test.root, "backups"), "--data", copy.directory, "--backup", name, "--recompute")
        assert done.returncode == 0 and "the schema registry is whole" in done.stdout, done
        if number in (1, 2):
            continue
        copy.start()
        streams = [row["name"] for row in copy.sql("SHOW STREAMS") if row["name"][0] == "c"]
        assert len(streams) >= at_least > 0, (streams, at_least)
        for stream in streams:
            n = int(stream[1:])
            assert takes(copy, stream, [{"id": n}]) == 1
            assert takes(copy, stream, [{"id": n - 1}]) == 0, "not the schema that it was made with"
            assert of_registry(copy, "GET", f"/subjects/s{n}/versions/1")[1]["id"] == ids[n]
        assert register(copy, "next", -1) > max(ids[int(stream[1:])] for stream in streams), "ids go on"
        copy.stop()
    # What has not changed is there once, and what has is copied anew.
    again = [back_up(test, server)[0] for _ in range(2)]
    register(server, "more")
    again.append(back_up(test, server)[0])
    first, second, third = (registry_object(test, name) for name in again)
    assert first == second != third
    # A copy that is damaged, and one that is missing.
    os.remove(os.path.join(test.root, "backups", "objects", third))
    done = test.cli("backup", "verify", os.path.join(test.root, "backups"))
    assert done.returncode == 1 and done.stdout.startswith(f"DAMAGED {again[2]}\nverified 7 "), done
    done = test.cli("restore", "--from", os.path.join(test.root, "backups"), "--data", os.path.join(test.root, "none"))
    assert done.returncode == 1 and "MR-NODE-0022" in done.stderr and "registry.db" in done.stderr, done
    # One whose registry is of another time than its streams: --recompute says so.
    members = manifest_of(test, names[-1])
    early = next(file for file in manifest_of(test, names[0])["files"] if file["path"] == "registry.db")
    members["files"] = [early if file["path"] == "registry.db" else file for file in members["files"]]
    write_manifest(test, names[-1], members)
    mixed = test.server("mixed")
    mixed.spoiled = True
    done = test.cli("restore", "--from", os.path.join(test.root, "backups"), "--data", mixed.directory, "--backup", names[-1], "--recompute")
    assert done.returncode == 1 and "MR-NODE-0030" in done.stderr, done


def takes(server, stream, events):
    """How many it accepts, once the registry has been asked for its schema."""
    for _ in range(200):
        try:
            return server.produce(stream, events)["accepted"]
        except Refused as refused:
            if refused.status != 503:
                return json.loads(refused.body)["accepted"]
            time.sleep(0.02)
    raise AssertionError("its schema is not found")


def without_a_registry_of_its_own(test):
    """None, one that an earlier start had, PostgreSQL, and a backup that was made before there was a place for it."""
    server = started(test)
    none = back_up(test, server)[0]
    assert manifest_of(test, none)["registry"] == "none" and registry_object(test, none) is None
    server.stop()
    server.options = [*server.options, *REGISTRY]
    server.start()
    made = register(server, "s")
    server.sql("CREATE STREAM c (id BIGINT) WITH (schema = 's')")
    server.stop()
    server.options = server.options[:-len(REGISTRY)]
    server.start()
    left = back_up(test, server)[0]
    assert manifest_of(test, left)["registry"] == "none" and registry_object(test, left), "its file goes with it all the same"
    copy = test.server("copy", options=[*OPTIONS, *REGISTRY])
    done = test.cli("restore", "--from", os.path.join(test.root, "backups"), "--data", copy.directory, "--recompute")
    assert done.returncode == 0, done
    copy.start()
    assert takes(copy, "c", [{"id": 1}]) == 1 and of_registry(copy, "GET", "/subjects/s/versions/1")[1]["id"] == made
    # As it was written before: no word of a registry.
    older = manifest_of(test, left)
    del older["registry"]
    older["files"] = [file for file in older["files"] if file["path"] != "registry.db"]
    write_manifest(test, left, older)
    assert "schema registry: not in it" in test.cli("backup", "list", os.path.join(test.root, "backups")).stdout
    assert len(restored(test, "older", "--recompute").start().sql("SHOW STREAMS")) == len(server.sql("SHOW STREAMS"))
    if not os.path.exists(postgres.BIN):
        assert not os.environ.get("MILLRACE_REQUIRE_POSTGRES"), "PostgreSQL is not installed"
        return
    with postgres.Postgres() as database:
        conninfo = f"postgresql://postgres@127.0.0.1:{database.port}/postgres"
        shared = test.server("shared", options=[*OPTIONS, *REGISTRY, "--schema-registry-postgres", conninfo]).start()
        shared.spoiled = True  # it starts only while its database is there
        register(shared, "s")
        done = subprocess.run(command(test, shared, "other"), capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and "its schemas are in PostgreSQL" in done.stderr, done
        name = done.stdout.split()[1].rstrip(":")
        assert manifest_of(test, name, "other")["registry"] == "postgresql"
        assert all(file["path"] != "registry.db" for file in manifest_of(test, name, "other")["files"])
        shared.stop()


def two_of_one_moment(test):
    server = started(test)
    names = {back_up(test, server)[0] for _ in range(3)}
    assert len(names) == 3, names
    listed = test.cli("backup", "list", os.path.join(test.root, "backups"))
    assert all(name in listed.stdout for name in names), listed
    for name in names:
        restored(test, name, "--backup", name)


def what_is_refused(test):
    server = started(test)
    server.produce("s", [{"id": n, "name": "ana"} for n in range(1000)])
    name, _, _ = back_up(test, server)
    folder = os.path.join(test.root, "backups")

    def refused(code, *arguments, exit_code=1):
        done = test.cli(*arguments)
        assert done.returncode == exit_code and code in done.stderr and done.stderr.count("hint") == 1, (code, done)

    fresh = os.path.join(test.root, "fresh")
    refused("MR-CLI-0035", "backup", exit_code=2)
    refused("MR-CLI-0035", "restore", exit_code=2)
    refused("MR-NODE-0021", "restore", "--from", fresh, "--data", fresh)
    refused("MR-NODE-0021", "restore", "--from", folder, "--data", fresh, "--backup", "20200101T000000Z-1")
    refused("MR-NODE-0021", "backup", "verify", fresh)
    refused("MR-NODE-0020", "restore", "--from", folder, "--data", server.directory)
    refused("MR-NODE-0025", "backup", "--server", server.url, "--data", os.path.join(test.root, "none"), "--to", folder)
    refused("MR-NODE-0028", "backup", "--server", server.url, "--data", server.directory, "--to", test.root)
    other = started(test, "other")
    refused("MR-NODE-0025", "backup", "--server", server.url, "--data", other.directory, "--to", folder)

    manifest = os.path.join(folder, "backups", name + ".json")
    with open(manifest, encoding="utf-8") as f:
        text = f.read()
    files = json.loads(text)["backup"]["files"]
    victim = os.path.join(folder, "objects", next(file["sha256"] for file in files if file["path"].startswith("journal/")))
    with open(victim, "r+b") as f:
        f.seek(5000)
        byte = f.read(1)
        f.seek(5000)
        f.write(bytes([byte[0] ^ 1]))
    refused("MR-NODE-0022", "restore", "--from", folder, "--data", fresh)
    done = test.cli("backup", "verify", folder)
    assert done.returncode == 1 and f"DAMAGED {name}" in done.stdout and "is damaged" in done.stderr, done
    os.remove(victim)
    refused("MR-NODE-0022", "restore", "--from", folder, "--data", fresh)
    assert not os.path.exists(fresh), "something was written"

    for broken in (text[:-40], text.replace("metadata.db", "../metadata"), "{}", "", "\0"):
        with open(manifest, "w", encoding="utf-8") as f:
            f.write(broken)
        refused("MR-NODE-0022", "restore", "--from", folder, "--data", fresh)
    # Whoever can write a checksum still leads nothing out of the folder.
    members = json.loads(text)["backup"]
    members["files"][0]["path"] = "journal/../../outside"
    write_manifest(test, name, members)
    refused("MR-NODE-0022", "restore", "--from", folder, "--data", fresh)
    with open(os.path.join(folder, "VERSION"), "w", encoding="ascii") as f:
        f.write("millrace backups 2\n")
    refused("MR-NODE-0023", "backup", "list", folder)

    refused("MR-NODE-0021", "backup", "verify", server.directory)
    for inside in (os.path.join(server.directory, "backups"), os.path.join(server.directory, "..", os.path.basename(server.directory), "x")):
        refused("MR-CLI-0042", "backup", "--server", server.url, "--data", server.directory, "--to", inside)
        assert not os.path.exists(inside)

    back_up(test, server, "again")
    half = restored(test, "half", folder="again")
    half.spoiled = True
    with open(os.path.join(half.directory, "RESTORING"), "w", encoding="ascii") as f:
        f.write(name)
    refused("MR-NODE-0017", "serve", "--data", half.directory, "--http", "127.0.0.1:0")


def only_who_sees_all(test):
    server = test.server()
    made = {}
    for name, more in (("all", ["--all-tenants"]), ("own", [])):
        done = test.cli("tokens", "create", "--data", server.directory, "--scope", "admin", "--scope", "query", *more)
        made[name] = done.stdout.strip()
    server.start()
    for name, code in (("own", "MR-NODE-0026"), ("none", "MR-API-0015"), ("all", "")):
        done = subprocess.run([*command(test, server), "--token", made.get(name, "x")], capture_output=True, text=True, timeout=60)
        assert (done.returncode == 0) == (code == "") and code in done.stderr, (name, done)
    # A copy has the tokens, and what was done up to then.
    copy = restored(test, "copy").start()
    assert copy.refusal("GET", "/v1/streams").status == 401
    assert copy.call("GET", "/v1/streams", None, {"Authorization": f"Bearer {made['own']}"})[0]


def the_page(test):
    """The commands in the order of the page, in one folder; nodes are started by their lines and ended by ours."""
    with open(PAGE, encoding="utf-8") as f:
        blocks = re.findall(r"^```sh\n(.*?)^```", f.read(), re.S | re.M)
    server = test.server("data", options=OPTIONS)
    server.address = f"127.0.0.1:{free_port()}"
    server.start()
    server.sql(DEFINE)
    server.produce("s", [{"id": n, "name": "ana"} for n in range(10)])
    outputs = []
    for line in "".join(blocks).replace("\\\n", " ").splitlines():
        if line.startswith("millrace serve"):
            server.stop()
            server.directory = os.path.join(test.root, line.split()[3])
            server.start()
            continue
        here = re.sub(r"\bmillrace (?=backup|restore|log)", test.binary + " ", line)
        done = subprocess.run(here.replace("http://127.0.0.1:8080", server.url), shell=True, cwd=test.root, capture_output=True,
                              text=True, timeout=60)
        assert done.returncode == 0, (line, done)
        outputs.append(done.stdout)
    assert any("all as recorded" in out for out in outputs) and any("all is well" in out for out in outputs), outputs
    assert server.sql("SELECT n FROM v") == [{"n": 10}]


if __name__ == "__main__":
    main([the_page, the_state_at_the_cut, killed_at_any_point, retention_waits, the_second_copies_what_is_new, the_schema_registry,
          without_a_registry_of_its_own, two_of_one_moment, what_is_refused,
          only_who_sees_all])
