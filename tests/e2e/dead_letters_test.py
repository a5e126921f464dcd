#!/usr/bin/env python3
"""Dead letters: found, corrected, tried, given to their query again; once each, over kills, by tenant."""
import concurrent.futures
import csv
import hashlib
import io
import json
import os
import time

from harness import Refused, main

PATH = "/v1/dead-letters"


def call(server, method, path, body=None, headers=None):
    return json.loads(server.call(method, path, body, headers)[0])


def edit(server, letter, event):
    return call(server, "PUT", f"{PATH}/{letter}/payload", json.dumps(event).encode(),
                {"Content-Type": "application/json"})


def letters(server, filters=""):
    return call(server, "GET", f"{PATH}?limit=1000{filters}")["items"]


def wait_letters(server, count):
    deadline = time.monotonic() + 30
    while len(found := letters(server)) != count:
        assert time.monotonic() < deadline, found
        time.sleep(0.01)
    return found


def wait_rows(server, query, wanted):
    deadline = time.monotonic() + 30
    while (rows := server.sql(query)) != wanted:
        assert time.monotonic() < deadline, (rows, wanted)
        time.sleep(0.01)


def started(test, workers=1, **kwargs):
    """A view of sums by the stream's key, a view through a repartition, a derived stream and a view over it."""
    server = test.server(workers=workers, **kwargs).start()
    server.sql("""CREATE STREAM s (k TEXT, n BIGINT, d BIGINT) WITH (key = 'k', partitions = 4);
                  CREATE MATERIALIZED VIEW sums AS SELECT k, sum(n / d) AS total FROM s GROUP BY k;
                  CREATE MATERIALIZED VIEW counted AS SELECT n, count(*) AS c FROM s WHERE n / d >= 0 GROUP BY n;
                  CREATE STREAM shares AS SELECT k, n / d AS share FROM s;
                  CREATE MATERIALIZED VIEW inverse AS SELECT k, 100 / share AS x FROM shares""")
    return server


def the_query_alone(test):
    """A redriven event is taken by the query that could not use it, and by no other."""
    server = started(test, workers=2)
    server.produce("s", [{"k": "a", "n": 6, "d": 3}, {"k": "a", "n": 4, "d": 0}])
    found = wait_letters(server, 3)
    assert {one["query"] for one in found} == {"sums", "counted", "shares"}, found
    assert all(one["state"] == "open" and one["code"] == "MR-SQL-0101" for one in found)
    of_sums = next(one["id"] for one in found if one["query"] == "sums")
    shown = call(server, "GET", f"{PATH}/{of_sums}")
    assert json.loads(shown["payload"]) == {"k": "a", "n": 4, "d": 0} and shown["stream"] == "s", shown
    assert shown["place"]["line"] >= 1 and shown["place"]["column"] > 1, shown
    refused = server.refusal("POST", f"{PATH}/{of_sums}/redrive")
    assert refused.status == 409 and refused.problem["code"] == "MR-DLQ-0006", refused.problem
    tried = call(server, "POST", f"{PATH}/{of_sums}/dry-run")
    assert tried["outcome"] == "fails" and tried["failure"]["code"] == "MR-SQL-0101", tried
    assert edit(server, of_sums, {"k": "a", "n": 4, "d": 2})["state"] == "edited"
    tried = call(server, "POST", f"{PATH}/{of_sums}/dry-run")
    assert tried["outcome"] == "passes" and tried["rows"] == [{"k": "a", "total": 2}], tried
    redriven = call(server, "POST", f"{PATH}/{of_sums}/redrive")
    assert redriven["state"] == "redriven" and json.loads(redriven["payload"])["d"] == 0, redriven
    assert json.loads(redriven["edited"]["payload"])["d"] == 2, redriven
    wait_rows(server, "SELECT * FROM sums", [{"k": "a", "total": 4}])
    wait_rows(server, "SELECT * FROM counted", [{"n": 6, "c": 1}])
    again = call(server, "POST", f"{PATH}/{of_sums}/redrive")  # nothing happens
    assert again == redriven
    wait_rows(server, "SELECT * FROM sums", [{"k": "a", "total": 4}])
    for path, body in ((f"{PATH}/{of_sums}/payload", b'{"k":"a"}'), (f"{PATH}/{of_sums}/discard", None)):
        method = "PUT" if body else "POST"
        assert server.refusal(method, path, body, {"Content-Type": "application/json"}).problem["code"] == "MR-DLQ-0003"

    # Through a repartition; and into a stream, whose readers see a new event of it.
    for one in found:
        if one["query"] != "sums":
            edit(server, one["id"], {"k": "a", "n": 4, "d": 1})
            call(server, "POST", f"{PATH}/{one['id']}/redrive")
    wait_rows(server, "SELECT * FROM counted ORDER BY n", [{"n": 4, "c": 1}, {"n": 6, "c": 1}])
    wait_rows(server, "SELECT * FROM inverse ORDER BY x", [{"k": "a", "x": 25}, {"k": "a", "x": 50}])
    assert len(server.events("s", None)) == 2, "the stream has what was sent"
    assert server.metric('millrace_tenant_dead_letters_redriven_total{tenant="default"}', "/metrics/full") == 3
    server.stop()
    server.start(workers=1)
    wait_rows(server, "SELECT * FROM sums", [{"k": "a", "total": 4}])
    assert [one["state"] for one in letters(server)] == ["redriven"] * 3


def what_is_refused(test):
    server = started(test)
    server.produce("s", [{"k": "a", "n": 1, "d": 0}])
    found = {one["query"]: one["id"] for one in wait_letters(server, 3)}
    json_type = {"Content-Type": "application/json"}
    path = f"{PATH}/{found['sums']}"
    assert server.refusal("PUT", path + "/payload", b'{"k":"b","n":1,"d":1}', json_type).problem["code"] == "MR-DLQ-0007"
    assert server.refusal("PUT", path + "/payload", b'{"k":"a","n":"x"}', json_type).problem["code"].startswith("MR-EVT")
    assert server.refusal("PUT", path + "/payload", b'{"k":"a"}').status == 415
    assert server.refusal("GET", f"{PATH}/99").problem["code"] == "MR-DLQ-0001"
    assert server.refusal("GET", f"{PATH}/x").status == 404
    assert server.refusal("GET", f"{PATH}?state=lost").problem["code"] == "MR-API-0011"
    discarded = call(server, "POST", path + "/discard")
    assert discarded["state"] == "discarded" and discarded["discarded"]["by"] is None, discarded
    assert server.refusal("POST", path + "/redrive").problem["code"] == "MR-DLQ-0002"
    # A query that is made anew reads the event itself.
    server.sql("DROP MATERIALIZED VIEW counted")
    assert server.refusal("POST", f"{PATH}/{found['counted']}/redrive").problem["code"] == "MR-DLQ-0004"
    # A group's row; rows that replace each other.
    server.sql("""CREATE STREAM u (k TEXT, n BIGINT, PRIMARY KEY (k));
                  CREATE MATERIALIZED VIEW of_u AS SELECT k, 1 / n AS x FROM u""")
    server.produce("u", [{"k": "a", "n": 0}])
    wait_letters(server, 4)
    letter = letters(server)[0]
    assert letter["query"] == "of_u", letter
    edit(server, letter["id"], {"k": "a", "n": 1})
    assert server.refusal("POST", f"{PATH}/{letter['id']}/redrive").problem["code"] == "MR-DLQ-0005"


def late_stays_late(test):
    server = test.server().start()
    server.sql("""CREATE STREAM t (at TIMESTAMPTZ, n BIGINT, WATERMARK FOR at AS at) WITH (partitions = 1);
                  CREATE MATERIALIZED VIEW w AS SELECT window_start, sum(n) AS total
                    FROM TUMBLE(t, at, INTERVAL '10 seconds') GROUP BY window_start EMIT ON WINDOW CLOSE""")
    server.produce("t", [{"at": "2024-01-01T00:00:25Z", "n": 1}, {"at": "2024-01-01T00:00:05Z", "n": 2}])
    letter = wait_letters(server, 1)[0]["id"]
    assert call(server, "POST", f"{PATH}/{letter}/dry-run")["failure"]["cause"] == "late"
    assert server.refusal("POST", f"{PATH}/{letter}/redrive").problem["code"] == "MR-DLQ-0006"
    edit(server, letter, {"at": "2024-01-01T00:00:09.5Z", "n": 2})
    tried = call(server, "POST", f"{PATH}/{letter}/dry-run")
    assert tried["outcome"] == "fails" and tried["failure"]["code"] == "MR-STEP-0011", tried
    # With a time whose window is open it counts; the watermark stays where it was.
    edit(server, letter, {"at": "2024-01-01T00:00:29Z", "n": 2})
    tried = call(server, "POST", f"{PATH}/{letter}/dry-run")
    assert tried["outcome"] == "passes" and tried["rows"][0]["total"] == 2, tried
    call(server, "POST", f"{PATH}/{letter}/redrive")
    server.produce("t", [{"at": "2024-01-01T00:00:26Z", "n": 4}, {"at": "2024-01-01T00:00:31Z", "n": 8}])
    wait_rows(server, "SELECT total FROM w", [{"total": 7}])
    assert len(letters(server)) == 1


def by_filter(test):
    server = started(test)
    events = [{"k": f"k{i % 7}", "n": i, "d": 0} for i in range(300)]
    server.produce("s", events)
    wait_letters(server, 900)
    counts = call(server, "GET", PATH + "/counts")["items"]
    assert {(c["query"], c["letters"]) for c in counts} == {("sums", 300), ("counted", 300), ("shares", 300)}, counts
    ids, after = [], ""
    while after is not None:  # page by page, newest first
        page = call(server, "GET", f"{PATH}?query=sums&limit=70{after and '&after=' + after}")
        ids += [one["id"] for one in page["items"]]
        after = page["next"]
    assert len(ids) == len(set(ids)) == 300 and ids == sorted(ids, reverse=True)
    oldest = letters(server, "&query=sums&order=oldest")
    assert [one["id"] for one in oldest] == ids[::-1]
    middle = oldest[0]["filed_at"]
    assert len(letters(server, f"&query=sums&from={middle}")) == 300 and letters(server, f"&to={middle}") == []
    for letter in ids[:250]:
        event = json.loads(call(server, "GET", f"{PATH}/{letter}")["payload"])
        edit(server, letter, {**event, "d": 1})
    report = call(server, "POST", f"{PATH}/redrive?query=sums&state=edited&limit=100")
    assert report["redriven"] == 100 and report["skipped"] == [] and report["next"], report
    report = call(server, "POST", f"{PATH}/redrive?query=sums&limit=1000")
    assert report["redriven"] == 150 and len(report["skipped"]) == 50 and report["next"] is None, report
    assert {one["code"] for one in report["skipped"]} == {"MR-DLQ-0006"}
    assert call(server, "POST", f"{PATH}/redrive?query=sums&limit=1000")["redriven"] == 0
    total = sum(json.loads(call(server, "GET", f"{PATH}/{i}")["payload"])["n"] for i in ids[:250])
    wait_rows(server, "SELECT sum(total) AS t FROM sums", [{"t": total}])


def once_over_kills(test):
    """Redriven by many at once, killed and asked again: each letter counts once."""
    server = started(test, workers=2)
    server.produce("s", [{"k": f"k{i}", "n": 1, "d": 0} for i in range(40)])
    wait_letters(server, 120)
    ids = [one["id"] for one in letters(server, "&query=sums")]
    for letter in ids:
        event = json.loads(call(server, "GET", f"{PATH}/{letter}")["payload"])
        edit(server, letter, {**event, "d": 1})

    def redrive(letter):
        try:
            return server.call("POST", f"{PATH}/{letter}/redrive") and None
        except (OSError, Refused, ValueError):
            return letter

    for _ in range(3):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(redrive, letter) for letter in ids * 2]
            time.sleep(test.random.uniform(0, 0.02))
            server.kill()
            for one in asked:
                one.result()
        server.start()
    for letter in ids:
        call(server, "POST", f"{PATH}/{letter}/redrive")
    wait_rows(server, "SELECT count(*) AS groups, sum(total) AS t FROM sums", [{"groups": 40, "t": 40}])
    assert {one["state"] for one in letters(server, "&query=sums")} == {"redriven"}


def tenants(test):
    tokens = os.path.join(test.root, "tokens.yaml")
    with open(tokens, "w", encoding="utf-8") as f:
        f.write("tokens:\n")
        for tenant in ("a", "b"):
            f.write(f"  - {{tenant: {tenant}, sha256: {hashlib.sha256(tenant.encode()).hexdigest()}}}\n")
    server = test.server(options=["--tokens", tokens]).start()

    def of(tenant):
        return {"Authorization": f"Bearer {tenant}", "Content-Type": "application/json"}

    server.call("POST", "/v1/sql", b"CREATE STREAM s (n BIGINT); CREATE STREAM o AS SELECT 1 / n AS x FROM s",
                {**of("a"), "Content-Type": "application/sql"})
    server.call("POST", "/v1/streams/s/events", b'{"n":0}', of("a"))
    deadline = time.monotonic() + 30
    while not call(server, "GET", PATH, None, of("a"))["items"]:
        assert time.monotonic() < deadline
    assert call(server, "GET", PATH, None, of("b"))["items"] == []
    assert call(server, "GET", PATH + "/counts", None, of("b"))["items"] == []
    for method, path in (("GET", ""), ("PUT", "/payload"), ("POST", "/dry-run"), ("POST", "/redrive"), ("POST", "/discard")):
        assert server.refusal(method, f"{PATH}/0{path}", b'{"n":1}', of("b")).status == 404, path
    assert call(server, "POST", PATH + "/redrive", None, of("b"))["redriven"] == 0
    call(server, "PUT", f"{PATH}/0/payload", b'{"n":1}', of("a"))
    done = call(server, "POST", f"{PATH}/0/redrive", None, of("a"))
    assert done["redriven"]["by"] == "token " + hashlib.sha256(b"a").hexdigest()[:12] + " of the tokens file", done


def outside(test):
    """What its stream did not take: kept where the stream says so, corrected, and then an event of the stream, by either node."""
    server = test.server(workers=2, options=["--gateway-only"]).start()
    server.sql("CREATE STREAM s (k TEXT, n BIGINT) WITH (key = 'k', partitions = 4, on_invalid = 'dead_letter')")
    server.sql("""CREATE STREAM c (k TEXT, n BIGINT) WITH (format = 'cloudevents', deduplicate = '1 hour',
                  on_invalid = 'dead_letter')""")
    headers = {"Content-Type": "application/x-ndjson"}
    body = b'{"k":"a","n":1}\n{"k":"a","n":"one"}\n{"k":"b","n":2\n'
    answer = json.loads(server.call("POST", "/v1/streams/s/events", body, headers)[0])
    assert answer["accepted"] == 1 and answer["rejected"] == [] and answer["dead_letters"] == 2, answer
    bad = {"specversion": "1.0", "id": "1", "source": "x", "type": "t", "data": {"k": "a", "n": "one"}}
    answer = json.loads(server.call("POST", "/v1/streams/c/events", json.dumps(bad).encode(),
                                    {"Content-Type": "application/cloudevents+json"})[0])
    assert answer["accepted"] == 0 and answer["dead_letters"] == 1, answer
    found = letters(server, "&cause=invalid&order=oldest")
    assert [(one["stream"], one["query"], one["offset"], one["code"]) for one in found] == [
        ("s", "", None, "MR-EVT-0006"), ("s", "", None, "MR-EVT-0001"), ("c", "", None, "MR-EVT-0006")], found
    tried = call(server, "POST", f"{PATH}/0/dry-run")
    assert tried["outcome"] == "fails" and tried["failure"]["code"] == "MR-EVT-0006", tried
    assert server.refusal("POST", f"{PATH}/0/redrive").problem["code"] == "MR-DLQ-0006"
    edit(server, 0, {"k": "other", "n": 1})
    assert call(server, "POST", f"{PATH}/0/dry-run") == {"id": 0, "outcome": "passes", "rows": [], "failure": None}
    assert call(server, "GET", f"{PATH}/2")["event_id"] == {"source": "x", "id": "1"}
    edit(server, 2, {**bad, "data": {"k": "a", "n": 3}})
    # Sent twice, as the sender heard nothing of it, and corrected twice: it counts once.
    server.call("POST", "/v1/streams/c/events", json.dumps(bad).encode(), {"Content-Type": "application/cloudevents+json"})
    edit(server, 3, {**bad, "data": {"k": "a", "n": 4}})
    good = json.dumps({**bad, "data": {"k": "a", "n": 3}}).encode()
    report = call(server, "POST", f"{PATH}/redrive?stream=s")
    assert report["redriven"] == 1 and [one["id"] for one in report["skipped"]] == [1], report
    report = call(server, "POST", f"{PATH}/redrive?stream=c")
    assert report["redriven"] == 1 and [(one["id"], one["code"]) for one in report["skipped"]] == [(3, "MR-DLQ-0005")], report
    assert call(server, "POST", f"{PATH}/3/discard")["state"] == "discarded"
    answer = json.loads(server.call("POST", "/v1/streams/c/events", good,
                                    {"Content-Type": "application/cloudevents+json"})[0])
    assert answer["duplicates"] == 1, "it has its id"
    server.kill()
    server.options = []
    server.start()
    server.sql("CREATE MATERIALIZED VIEW sums AS SELECT k, sum(n) AS total FROM s GROUP BY k")
    edit(server, 1, {"k": "a", "n": 5})
    assert call(server, "POST", f"{PATH}/1/redrive")["state"] == "redriven"
    wait_rows(server, "SELECT * FROM sums ORDER BY k", [{"k": "a", "total": 6}, {"k": "other", "total": 1}])
    server.sql("DROP STREAM c")
    assert server.sql("SELECT count(*) AS n FROM dead_letters WHERE query IS NULL") == [{"n": 4}]
    done = test.cli("produce", "s", "--server", server.url, stdin='{"k":"a","n":1}\n{"k":1}\n')
    assert done.returncode == 0 and "1 event accepted, 0 rejected, 1 dead letter," in done.stderr, done


def without_a_processor(test):
    server = started(test)
    server.produce("s", [{"k": "a", "n": 1, "d": 0}])
    wait_letters(server, 3)
    server.stop()
    server.options = ["--gateway-only"]
    server.start()
    assert call(server, "POST", f"{PATH}/0/discard")["state"] == "discarded"
    assert server.refusal("POST", f"{PATH}/1/redrive").problem["code"] == "MR-DLQ-0010"
    skipped = call(server, "POST", f"{PATH}/redrive")["skipped"]
    assert [one["code"] for one in skipped] == ["MR-DLQ-0010"] * 2, skipped
    server.stop()
    server.options = []
    server.start()


def command_line(test):
    server = started(test)
    server.produce("s", [{"k": f"k{i}", "n": 1, "d": 0} for i in range(5)])
    wait_letters(server, 15)

    def cli(*arguments, code=0):
        done = test.cli("dead-letters", *arguments, "--server", server.url)
        assert done.returncode == code, done
        return done

    rows = list(csv.DictReader(io.StringIO(cli("list", "--query", "sums", "--output", "csv").stdout, newline="")))
    assert len(rows) == 5 and rows[0]["code"] == "MR-SQL-0101", rows
    counts = [json.loads(line) for line in cli("counts", "--output", "json").stdout.splitlines()]
    assert sum(count["letters"] for count in counts) == 15 and len(counts) == 3, counts
    letter = rows[0]["id"]
    event = json.loads(json.loads(cli("show", letter, "--output", "json").stdout)["payload"])
    assert "MR-DLQ-0006" in cli("redrive", letter, code=1).stderr
    assert "fails" in cli("dry-run", letter).stdout
    fixed = os.path.join(test.root, "fixed.json")
    with open(fixed, "w", encoding="utf-8") as f:
        json.dump({**event, "d": 1}, f)
    assert "edited" in cli("edit", letter, "--file", fixed).stdout
    piped = test.cli("dead-letters", "edit", letter, "--server", server.url, stdin=json.dumps({**event, "d": 2}))
    assert piped.returncode == 0, piped
    assert "MR-CLI-0040" in cli("redrive", code=2).stderr
    assert "redriven: 1, not redriven: 4" in (refused := cli("redrive", "--query", "sums", "--rate", "1000", code=1).stderr)
    assert "MR-CLI-0041: 4 dead letters could not be redriven" in refused
    assert "redriven" in cli("show", letter).stdout
    assert "discarded" in cli("discard", rows[1]["id"]).stdout
    assert "MR-DLQ-0001" in cli("show", "77", code=1).stderr


if __name__ == "__main__":
    main([the_query_alone, what_is_refused, late_stays_late, by_filter, once_over_kills, tenants, outside,
          without_a_processor, command_line])
