"""A picture of a server's own numbers, as a monitoring system would draw them: what comes in, and how long it takes."""
import math
import re
import subprocess
import time
import urllib.request

WIDTH, HEIGHT, LEFT, GAP = 868, 130, 70, 44
BACK, LINE, GRID, TEXT, SECOND = "#1e222a", "#61afef", "#3b4252", "#d8dee9", "#e5c07b"
EVERY, QUIET, LOUD = 0.5, 5, 5  # seconds: between two samples, before and behind the load, of the load


def sample(url):
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as page:
        text = page.read().decode()
    events = float(re.search(r"^millrace_ingest_events_total (\S+)", text, re.M)[1])
    buckets = [(float(le.replace("+Inf", "inf")), float(count)) for le, count in
               re.findall(r'^millrace_event_latency_seconds_bucket\{stage="stored",le="([^"]+)"\} (\S+)', text, re.M)]
    return time.monotonic(), events, buckets


def quantile(before, after, share):
    """Prometheus's histogram_quantile over what came between two samples, in milliseconds."""
    counts = [(le, count - earlier) for (le, count), (_, earlier) in zip(after, before)]
    wanted, below, under = share * counts[-1][1], 0.0, 0.0
    for le, count in counts:
        if count >= wanted and count > under:
            top = below if le == float("inf") else le
            return 1000 * (below + (top - below) * (wanted - under) / (count - under))
        below, under = le, count
    return 0.0


def measured(binary, url, environment):
    """Samples while the demo goes on, and in the middle ten times as much comes in."""
    samples, load = [sample(url)], None
    began = time.monotonic()
    while (passed := time.monotonic() - began) < 2 * QUIET + LOUD:
        if load is None and passed > QUIET:
            load = subprocess.Popen([binary, "demo", "--rate", "3000", "--duration", f"{LOUD}s"], env=environment,
                                    stdout=subprocess.DEVNULL)
        time.sleep(EVERY)
        samples.append(sample(url))
    load.wait(30)
    return samples


def round_above(value):
    """The end of an axis that holds it: 1, 2 or 5 with zeros."""
    step = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return next(step * n for n in (1, 2, 5, 10) if step * n >= value)


def panel(top, title, series, seconds):
    """Axes and lines; a series is a name, a colour, and a value a sample."""
    most = round_above(max(max(values) for _, _, values in series))
    out = [f'<text x="{LEFT}" y="{top - 10}" fill="{TEXT}" font-weight="bold">{title}</text>']
    for part in (0, 0.5, 1):
        y = top + HEIGHT * (1 - part)
        out.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - 20}" stroke="{GRID}"/>'
                   f'<text x="{LEFT - 8}" y="{y + 5:.1f}" fill="{TEXT}" text-anchor="end">{most * part:,g}</text>')
    for n, (name, colour, values) in enumerate(series):
        points = " ".join(f"{LEFT + (WIDTH - 20 - LEFT) * x / (len(values) - 1):.1f},{top + HEIGHT * (1 - y / most):.1f}"
                          for x, y in enumerate(values))
        out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        if name:
            out.append(f'<text x="{WIDTH - 30 - 60 * n}" y="{top - 10}" fill="{colour}" text-anchor="end">{name}</text>')
    out.append(f'<text x="{WIDTH - 20}" y="{top + HEIGHT + 18}" fill="{TEXT}" text-anchor="end">{seconds:.0f} s</text>')
    return out


def picture(binary, url, environment):
    samples = measured(binary, url, environment)
    pairs = list(zip(samples, samples[1:]))
    rates = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairs]
    shares = {share: [quantile(a[2], b[2], share) for a, b in pairs] for share in (0.5, 0.99)}
    seconds = samples[-1][0] - samples[0][0]
    height = 40 + 2 * HEIGHT + GAP + 34
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-size="13" '
           'font-family="DejaVu Sans, Helvetica, Arial, sans-serif">', f'<rect width="100%" height="100%" rx="8" fill="{BACK}"/>']
    out += panel(40, "events a second", [("", LINE, rates)], seconds)
    out += panel(40 + HEIGHT + GAP, "from an event's arrival until the disk has it, ms", [("p50", LINE, shares[0.5]), ("p99", SECOND, shares[0.99])], seconds)
    return "\n".join(out + ["</svg>\n"])
