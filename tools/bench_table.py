#!/usr/bin/env python3
"""Makes one table of `millrace bench` lines: measured, what must hold, and whether it does."""
import json
import sys


def load(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.strip()]


def bounds(values):
    """(bench, case, metric) -> (text, holds) for what must hold."""
    get = values.get

    def at_most(key, limit):
        return f"<= {limit:.3g}", get(key) is not None and get(key) <= limit

    def at_least(key, limit):
        return f">= {limit:,.0f}", get(key) is not None and get(key) >= limit

    table = {}
    one = ("latency", "one_stream")
    for metric, extra in (("p50", 0.15), ("p99", 0.4)):
        floor = get((*one, f"floor_{metric}"))
        if floor is not None:
            table[(*one, f"durable_{metric}")] = at_most((*one, f"durable_{metric}"), floor + extra)
    table[(*one, "processing_p99")] = at_most((*one, "processing_p99"), 1.0)
    table[(*one, "close_last_p99")] = at_most((*one, "close_last_p99"), 10)
    table[("latency", "idle", "syncs_per_answer")] = at_most(("latency", "idle", "syncs_per_answer"), 1.05)
    base = get((*one, "durable_p99"))
    if base is not None:
        key = ("latency", "thousand_streams", "durable_p99")
        table[key] = at_most(key, 2 * base)
    alone = get(("latency", "noisy", "alone_p99"))
    if alone is not None:
        key = ("latency", "noisy", "quiet_p99")
        table[key] = at_most(key, 1.5 * alone)
    for bench, case, limit in (("ingest", "ndjson", 1_500_000), ("ingest", "single", 50_000),
                               ("ingest", "validated", 1_000_000),
                               ("journal", "replay", 4_000_000)):
        key = (bench, case, "events_per_s")
        table[key] = at_least(key, limit)
    key = ("ingest", "validated", "added_us")
    table[key] = at_most(key, 0.8)
    for case, metric, limit in (("empty", "rss_mb", 64), ("empty", "ready_ms", 300), ("after_kill", "ready_ms", 2000),
                                ("after_kill_full_rate", "ready_ms", 2000)):
        key = ("start", case, metric)
        table[key] = at_most(key, limit)
    return table


def main():
    rows = load(sys.argv[1])
    values = {(r["bench"], r["case"], r["metric"]): r["value"] for r in rows}
    musts = bounds(values)
    print(f"{'bench / case':<28} {'metric':<22} {'value':>14} {'unit':<8} {'must':>14}  holds")
    for r in rows:
        key = (r["bench"], r["case"], r["metric"])
        text, holds = musts.get(key, ("", None))
        value = f"{r['value']:,.0f}" if abs(r["value"]) >= 1000 else f"{r['value']:.3f}"
        mark = "" if holds is None else ("yes" if holds else "NO")
        print(f"{r['bench'] + ' / ' + r['case']:<28} {r['metric']:<22} {value:>14} {r['unit']:<8} {text:>14}  {mark}")


if __name__ == "__main__":
    main()
