"""The independent computation: windows over real events, in plain Python, from what each partition of a stream holds.

A row is late, for a window of a given size, if that window had ended by its own partition's watermark before the row: the
largest event time of the partition's earlier rows less the declared disorder.
"""
import datetime
import math

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)


def micros_of(value):
    """Unix milliseconds or RFC 3339, as a timestamp column takes them."""
    if isinstance(value, (int, float)):
        return int(value) * 1000
    moment = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
    return (moment - EPOCH) // datetime.timedelta(microseconds=1)


def text_of(micros):
    moment = EPOCH + datetime.timedelta(microseconds=micros)
    fraction = f".{micros % 1_000_000:06}".rstrip("0") if micros % 1_000_000 else ""
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + fraction + "Z"


def windows(partitions, time_column, disorder_s, size_s, group_column):
    """Rows by (window start, group); the late rows; the smallest watermark of the partitions that have rows."""
    groups, late, watermarks = {}, [], []
    size, disorder = size_s * 1_000_000, disorder_s * 1_000_000
    for events in partitions:
        watermark = -math.inf
        for event in events:
            at = micros_of(event[time_column])
            start = at // size * size
            if start + size <= watermark:
                late.append(event)
            else:
                groups.setdefault((text_of(start), event.get(group_column)), []).append(event)
            watermark = max(watermark, at - disorder)
        if events:
            watermarks.append(watermark)
    return groups, late, min(watermarks, default=-math.inf)


def is_closed(window_start, size_s, watermark):
    return micros_of(window_start) + size_s * 1_000_000 <= watermark


def close(a, b):
    if isinstance(a, float) or isinstance(b, float):
        return a is not None and b is not None and math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-12)
    return a == b


def compare(name, rows, key_columns, expected):
    """rows: what the server says; expected: {key: {column: value}}. Everything must be equal, and nothing else there."""
    found = {}
    for row in rows:
        key = tuple(row[c] for c in key_columns)
        assert key not in found, f"{name}: {key} comes twice"
        found[key] = row
    missing = [k for k in expected if k not in found]
    extra = [k for k in found if k not in expected]
    assert not missing and not extra, f"{name}: {len(missing)} missing {missing[:3]}, {len(extra)} too many {extra[:3]}"
    for key, values in expected.items():
        for column, value in values.items():
            assert close(found[key][column], value), f"{name}: {key} {column} is {found[key][column]}, not {value}"
