"""The replay of real events that several tests share: definitions, feeding, and the comparison with plain Python."""
import collections
import json

import expected
from harness import load_lines

PARTITIONS = 4
QUAKES = "usgs-earthquakes-week.ndjson"
FLIGHTS = "us-flights-2001-q1.ndjson"

STREAMS = f"""
CREATE STREAM earthquakes (
  id TEXT, time TIMESTAMPTZ, mag DOUBLE PRECISION, place TEXT, net TEXT, mag_type TEXT, depth_km DOUBLE PRECISION,
  WATERMARK FOR time AS time - INTERVAL '6 hours'
) WITH (format = 'json', key = 'net', partitions = {PARTITIONS}, idle_timeout = 'forever');
CREATE STREAM flights (
  departed_at TIMESTAMPTZ, origin TEXT, destination TEXT, distance_mi BIGINT, delay_min BIGINT,
  WATERMARK FOR departed_at AS departed_at - INTERVAL '1 hour'
) WITH (format = 'json', key = 'origin', partitions = {PARTITIONS}, idle_timeout = 'forever');
"""

# By the stream's key, by another column, with final rows only, and a derived stream.
VIEWS = {
    "quakes_by_net": """SELECT window_start, net, count(*) AS n, count(mag) AS measured, max(mag) AS strongest,
      min(depth_km) AS shallowest FROM TUMBLE(earthquakes, time, INTERVAL '1 hour') GROUP BY window_start, net""",
    "quakes_by_type": """SELECT window_start, mag_type, count(*) AS n, avg(mag) AS mean, sum(depth_km) AS depth
      FROM TUMBLE(earthquakes, time, INTERVAL '6 hours') GROUP BY window_start, mag_type""",
    "flights_by_origin": """SELECT window_start, origin, count(*) AS n, sum(distance_mi) AS miles, min(delay_min) AS best,
      max(delay_min) AS worst FROM TUMBLE(flights, departed_at, INTERVAL '1 day') GROUP BY window_start, origin""",
    "flights_by_destination": """SELECT window_start, destination, count(*) AS n, sum(delay_min) AS delay,
      avg(delay_min) AS mean FROM TUMBLE(flights, departed_at, INTERVAL '1 day') GROUP BY window_start, destination""",
    "closed_days": """SELECT window_start, destination, count(*) AS n FROM TUMBLE(flights, departed_at,
      INTERVAL '1 day') GROUP BY window_start, destination EMIT ON WINDOW CLOSE""",
}
DERIVED = "CREATE STREAM strong_quakes AS SELECT id, time, mag, place FROM earthquakes WHERE mag >= 4.5;"


def define(server):
    server.sql(STREAMS)
    for name, select in VIEWS.items():
        server.sql(f"CREATE MATERIALIZED VIEW {name} AS {select}")
    server.sql(DERIVED)


def batches(size=250):
    """(stream, lines, key) in the order of arrival: the earthquakes as they were revised, so truly disordered."""
    quakes = sorted(load_lines(QUAKES), key=lambda line: json.loads(line)["updated"])
    flights = load_lines(FLIGHTS)
    out = []
    for stream, lines in (("earthquakes", quakes), ("flights", flights)):
        for number, at in enumerate(range(0, len(lines), size)):
            out.append((stream, lines[at:at + size], f"{stream}-{number}"))
    return sorted(out, key=lambda b: int(b[2].split("-")[1]))  # both streams interleaved


def numbers(events, column):
    return [e[column] for e in events if e.get(column) is not None]


def total(values):
    return sum(values) if values else None


def mean(values):
    return sum(values) / len(values) if values else None


def check_exactly_once(server):
    """Every event that was fed is stored once."""
    stored = {}
    for stream, name in (("earthquakes", QUAKES), ("flights", FLIGHTS)):
        stored[stream] = server.partitions(stream, PARTITIONS)
        fed = collections.Counter(json.dumps(json.loads(line), sort_keys=True) for line in load_lines(name))
        kept = collections.Counter(json.dumps(e, sort_keys=True) for p in stored[stream] for e in p)
        assert fed == kept, f"{stream}: lost {sum((fed - kept).values())}, twice {sum((kept - fed).values())}"
    return stored


def check_answers(server):
    """Every window of every view, and the derived stream, against plain Python over what the partitions hold."""
    stored = check_exactly_once(server)
    quakes, flights = stored["earthquakes"], stored["flights"]
    hour, day = 3600, 86400

    groups, late, _ = expected.windows(quakes, "time", 6 * hour, hour, "net")
    assert late, "the replay is meant to have late rows"
    want = {k: {"n": len(v), "measured": len(numbers(v, "mag")), "strongest": max(numbers(v, "mag"), default=None),
                "shallowest": min(numbers(v, "depth_km"), default=None)} for k, v in groups.items()}
    check_view(server, "quakes_by_net", "net", want)

    groups, _, _ = expected.windows(quakes, "time", 6 * hour, 6 * hour, "mag_type")
    want = {k: {"n": len(v), "mean": mean(numbers(v, "mag")), "depth": total(numbers(v, "depth_km"))}
            for k, v in groups.items()}
    check_view(server, "quakes_by_type", "mag_type", want)

    groups, _, _ = expected.windows(flights, "departed_at", hour, day, "origin")
    want = {k: {"n": len(v), "miles": total(numbers(v, "distance_mi")), "best": min(numbers(v, "delay_min")),
                "worst": max(numbers(v, "delay_min"))} for k, v in groups.items()}
    check_view(server, "flights_by_origin", "origin", want)

    groups, _, watermark = expected.windows(flights, "departed_at", hour, day, "destination")
    want = {k: {"n": len(v), "delay": total(numbers(v, "delay_min")), "mean": mean(numbers(v, "delay_min"))}
            for k, v in groups.items()}
    check_view(server, "flights_by_destination", "destination", want)
    closed = {k: {"n": v["n"]} for k, v in want.items() if expected.is_closed(k[0], day, watermark)}
    assert 0 < len(closed) < len(want), "some windows closed, some open"
    check_view(server, "closed_days", "destination", closed)

    strong = sorted(e["id"] for p in quakes for e in p if (e["mag"] or 0) >= 4.5)
    derived = server.events("strong_quakes")
    assert strong == sorted(e["id"] for e in derived), "the derived stream differs"
    assert all(set(e) == {"id", "time", "mag", "place"} for e in derived)
    check_late(server, quakes, flights)


def check_view(server, view, group, want):
    expected.compare(view, server.sql(f"SELECT * FROM {view}"), ("window_start", group), want)


def check_late(server, quakes, flights):
    """Late rows are dead letters, one for each view that missed them."""
    hour, day = 3600, 86400
    want = {
        "quakes_by_net": len(expected.windows(quakes, "time", 6 * hour, hour, "net")[1]),
        "quakes_by_type": len(expected.windows(quakes, "time", 6 * hour, 6 * hour, "mag_type")[1]),
        "flights_by_origin": len(expected.windows(flights, "departed_at", hour, day, "origin")[1]),
    }
    letters = collections.Counter(row["query"] for row in server.sql("SELECT query, cause FROM dead_letters")
                                  if row["cause"] == "late")
    for view, count in want.items():
        assert letters[view] == count, f"{view}: {letters[view]} late dead letters, not {count}"


def check_late_view(server, name):
    """A view made now, over the history, answers byte for byte what the one that ran all along does."""
    order = "ORDER BY " + ", ".join(str(i) for i in (1, 2))
    server.sql(f"CREATE MATERIALIZED VIEW {name}_again AS {VIEWS[name]}")
    server.wait_running(f"{name}_again")
    old = server.sql_bytes(f"SELECT * FROM {name} {order}")
    new = server.sql_bytes(f"SELECT * FROM {name}_again {order}")
    assert old == new and old.count(b"\n") > 10, f"{name}: a view over the history differs"
    server.sql(f"DROP MATERIALIZED VIEW {name}_again")
