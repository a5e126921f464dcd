#!/usr/bin/env python3
"""The queries of `millrace bench nexmark` against plain Python over the same events: each has to give the same rows.

PROCTIME() of q12 is when the bench ran: of its windows only what they hold together is compared."""
import argparse
import collections
import datetime
import json
import os
import subprocess
import sys
import tempfile
from decimal import ROUND_HALF_UP, Decimal

from expected import micros_of, text_of

EVENTS = 20_000
HOP_EVENTS = 250_000  # two and a half seconds: more than one pane
RANKS = (("rank1", 0, 10_000), ("rank2", 10_000, 1_000_000), ("rank3", 1_000_000, float("inf")))
CHANNELS = {"apple": "0", "google": "1", "facebook": "2", "baidu": "3"}


def columns(bid, *names):
    return {name: bid["dateTime" if name == "date_time" else name] for name in names}


def in_rank(bids, low, high):
    return [bid for bid in bids if low <= bid["price"] < high]


def euros(bid):
    return Decimal("0.908") * bid["price"]


def grouped(bids, *names):
    groups = collections.defaultdict(list)
    for bid in bids:
        groups[tuple(bid[name] for name in names)].append(bid)
    return groups


def q0(bids):
    return [columns(b, "auction", "bidder", "price", "date_time", "extra") for b in bids]


def q1(bids):
    return [columns(b, "auction", "bidder", "date_time", "extra") | {"price": euros(b)} for b in bids]


def q2(bids):
    return [columns(b, "auction", "price") for b in bids if b["auction"] % 123 == 0]


def q11(bids):
    gap, rows = 10_000_000, []
    for (bidder,), own in grouped(bids, "bidder").items():
        sessions = []
        for time in sorted(micros_of(b["dateTime"]) for b in own):
            if sessions and time - sessions[-1][-1] < gap:
                sessions[-1].append(time)
            else:
                sessions.append([time])
        rows += [{"bidder": bidder, "bid_count": len(s), "starttime": text_of(s[0]), "endtime": text_of(s[-1] + gap)}
                 for s in sessions]
    return rows


def q12(bids):
    return [{"bidder": bidder, "bid_count": len(own)} for (bidder,), own in grouped(bids, "bidder").items()]


def part_of_day(bid):
    hour = datetime.datetime.fromisoformat(bid["dateTime"].replace("Z", "+00:00")).hour
    if 8 <= hour <= 18:
        return "dayTime"
    return "nightTime" if hour <= 6 or hour >= 20 else "otherTime"


def q14(bids):
    return [columns(b, "auction", "bidder", "date_time", "extra")
            | {"price": euros(b), "bid_time_type": part_of_day(b), "c_counts": b["extra"].count("c")}
            for b in bids if 1_000_000 < euros(b) < 50_000_000]


def by_day(bids, name):
    for bid in bids:
        bid["day"] = bid["dateTime"][:10]
    return grouped(bids, name, "day").items()


def q16(bids):
    rows = []
    for (channel, day), own in by_day(bids, "channel"):
        row = {"channel": channel, "day": day, "minute": max(b["dateTime"][11:16] for b in own), "total_bids": len(own)}
        for what in ("bidder", "auction"):
            row[f"total_{what}s"] = len({b[what] for b in own})
        for rank, low, high in RANKS:
            some = in_rank(own, low, high)
            row[f"{rank}_bids"] = len(some)
            for what in ("bidder", "auction"):
                row[f"{rank}_{what}s"] = len({b[what] for b in some})
        rows.append(row)
    return rows


def q17(bids):
    rows = []
    for (auction, day), own in by_day(bids, "auction"):
        prices = [b["price"] for b in own]
        rows.append({"auction": auction, "day": day, "total_bids": len(own), "min_price": min(prices),
                     "max_price": max(prices), "sum_price": sum(prices), "avg_price": Decimal(sum(prices)) / len(prices)}
                    | {f"{rank}_bids": len(in_rank(own, low, high)) for rank, low, high in RANKS})
    return rows


def channel_id(bid):
    if bid["channel"].lower() in CHANNELS:
        return CHANNELS[bid["channel"].lower()]
    _, found, rest = bid["url"].partition("&channel_id=")
    return rest.partition("&")[0] if found else None


def q21(bids):
    return [columns(b, "auction", "bidder", "price", "channel") | {"channel_id": channel_id(b)}
            for b in bids if channel_id(b) is not None]


def q22(bids):
    return [columns(b, "auction", "bidder", "price", "channel")
            | {f"dir{i - 2}": b["url"].split("/")[i] for i in (3, 4, 5)} for b in bids]


def hop_count(bids):
    step, size = 2_000_000, 10_000_000
    counts = collections.Counter()
    for bid in bids:
        time = micros_of(bid["dateTime"])
        for start in range(time - time % step, time - size, -step):
            counts[bid["auction"], start] += 1
    return [{"auction": auction, "num": count, "window_start": text_of(start), "window_end": text_of(start + size)}
            for (auction, start), count in counts.items()]


def filters_1(bids):
    return [columns(b, "auction", "bidder", "price") for b in bids if b["auction"] % 100 == 0]


QUERIES = (q0, q1, q2, q11, q12, q14, q16, q17, q21, q22, filters_1)


def comparable(rows):
    """Rows with their members in order; averages, which are rounded, to a millionth."""
    for row in rows:
        if "avg_price" in row:
            row["avg_price"] = Decimal(row["avg_price"]).quantize(Decimal("0.000001"), ROUND_HALF_UP)
    return collections.Counter(tuple(sorted(row.items())) for row in rows)


def whenever(rows):
    """The windows of a bidder together: the bench may have begun in one and ended in the next."""
    counts = collections.Counter()
    for row in rows:
        counts[row["bidder"]] += row["bid_count"]
    return [{"bidder": bidder, "bid_count": count} for bidder, count in counts.items()]


def run(binary, folder, query, events):
    path = os.path.join(folder, query.__name__)
    done = subprocess.run([binary, "bench", "nexmark", "--case", query.__name__, "--events", str(events), "--rounds", "1",
                           "--rows", path, "--directory", folder], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{query.__name__}: {done.stderr}")
    with open(path, encoding="utf-8") as lines:
        rows = [json.loads(line, parse_float=Decimal) for line in lines]
    return whenever(rows) if query is q12 else rows


def check(binary, folder, query, bids, events):
    given = comparable(run(binary, folder, query, events))
    wanted = comparable(query(bids))
    if not wanted:
        sys.exit(f"{query.__name__}: the events give no row, so nothing is compared")
    if given != wanted:
        sys.exit(f"{query.__name__}: missing {list((wanted - given).items())[:3]}, "
                 f"too many {list((given - wanted).items())[:3]}")
    print(f"{query.__name__}: {sum(wanted.values())} rows")


def bids_of(binary, events):
    made = subprocess.run([binary, "bench", "nexmark-events", "--events", str(events)], check=True, stdout=subprocess.PIPE)
    all_events = [json.loads(line) for line in made.stdout.splitlines()]
    if len(all_events) != events:
        sys.exit(f"{len(all_events)} events instead of {events}")
    return [event["bid"] for event in all_events if event["event_type"] == 2]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    binary = parser.parse_args().binary
    bids = bids_of(binary, HOP_EVENTS)
    few = bids[:EVENTS * 46 // 50]
    with tempfile.TemporaryDirectory() as folder:
        for query in QUERIES:
            check(binary, folder, query, few, EVENTS)
        check(binary, folder, hop_count, bids, HOP_EVENTS)


if __name__ == "__main__":
    main()
