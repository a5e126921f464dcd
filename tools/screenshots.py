#!/usr/bin/env python3
"""Makes docs/images/*.svg: the real shell and `top` on a terminal, over `millrace demo`, as they look, and its metrics.

usage: tools/screenshots.py [--binary build/release/bin/millrace]      (needs pyte: tools/install_packages.sh test)
"""
import argparse
import html
import os
import shutil
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "tools"), os.path.join(ROOT, "tests/e2e"), os.path.join(ROOT, "build/python")]
import pyte  # noqa: E402
import metrics_picture  # noqa: E402
from harness import free_port  # noqa: E402
from terminal import PROMPT, Terminal  # noqa: E402

COLUMNS, ROWS = 100, 48
CELL, LINE, MARGIN = 8.4, 18, 14  # of a 14 px monospaced letter
COLOURS = {"default": "#d8dee9", "red": "#e06c75", "green": "#98c379", "brown": "#e5c07b", "blue": "#61afef", "cyan": "#56b6c2"}


def runs(line):
    """A row of the screen as (column, text, cell) of cells that look alike; a wide letter stands alone."""
    out = []
    for x in range(COLUMNS):
        cell = line[x]
        if not cell.data:  # the second half of a wide letter
            continue
        wide = x + 1 < COLUMNS and not line[x + 1].data
        look = (cell.fg, cell.bold, getattr(cell, "faint", False), wide)
        if out and out[-1][2] == look and not wide:
            out[-1][1] += cell.data
        else:
            out.append([x, cell.data, look])
    return out


def svg(screen, rows):
    width, height = COLUMNS * CELL + 2 * MARGIN, rows * LINE + 2 * MARGIN
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" font-size="14" '
           'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" xml:space="preserve">',
           '<rect width="100%" height="100%" rx="8" fill="#1e222a"/>']
    for y in range(rows):
        for x, text, (colour, bold, _, wide) in runs(screen.buffer[y]):
            if not text.strip():
                continue
            length = CELL * (2 if wide else len(text))
            weight = ' font-weight="bold"' if bold else ""
            out.append(f'<text x="{MARGIN + x * CELL:.1f}" y="{MARGIN + y * LINE + 13}" textLength="{length:.1f}" '
                       f'fill="{COLOURS.get(colour, COLOURS["default"])}"{weight}>{html.escape(text)}</text>')
    return "\n".join(out + ["</svg>\n"])


def save(name, text):
    """What a terminal shows after these bytes, without the empty rows behind."""
    screen = pyte.Screen(COLUMNS, ROWS)
    screen.set_mode(pyte.modes.LNM)
    pyte.Stream(screen).feed(text)
    rows = max((y + 1 for y, line in enumerate(screen.display) if line.strip()), default=1)
    path = os.path.join(ROOT, "docs/images", name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(svg(screen, rows))
    print(f"{os.path.relpath(path, ROOT)}: {rows} rows")


def shell(binary, environment):
    terminal = Terminal([binary, "sql"], columns=COLUMNS, rows=ROWS, env=environment)
    terminal.expect(PROMPT)
    terminal.ask("\\d", "demo_visits")
    terminal.ask("SELECT product, orders, revenue FROM demo_best_sellers ORDER BY revenue DESC LIMIT 4;", "rows")
    terminal.ask("SELECT revnue FROM demo_best_sellers;", "hint")
    terminal.line("SUBSCRIBE TO demo_best_sellers;")
    terminal.expect("tea pot")
    terminal.send("\x03")
    terminal.expect(PROMPT)
    save("shell.svg", terminal.shown)
    terminal.close()


def top(binary, environment):
    terminal = Terminal([binary, "top", "--interval", "1s"], columns=COLUMNS, rows=ROWS, env=environment)
    deadline = time.monotonic() + 4
    while time.monotonic() < deadline:
        terminal.read(0.2)
    save("top.svg", "\x1b[H" + terminal.shown.split("\x1b[H")[-2])  # the last may be under way
    terminal.send("q")
    terminal.ends()
    terminal.close()


def metrics(binary, environment):
    of_child = {**os.environ, **{name: value for name, value in environment.items() if value is not None}}
    with open(os.path.join(ROOT, "docs/images/metrics.svg"), "w", encoding="utf-8") as f:
        f.write(metrics_picture.picture(binary, environment["MILLRACE_SERVER"], of_child))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", default=os.path.join(ROOT, "build/release/bin/millrace"))
    binary = os.path.abspath(parser.parse_args().binary)
    home = tempfile.mkdtemp(prefix="millrace-pictures-")
    environment = {"HOME": home, "XDG_STATE_HOME": None, "TMPDIR": home, "NO_COLOR": None,
                   "MILLRACE_SERVER": f"http://127.0.0.1:{free_port()}"}
    demo = Terminal([binary, "demo", "--serve", "--rate", "300"], env=environment)
    try:
        demo.expect(r"\d{4} events sent", within=60)
        shell(binary, environment)
        top(binary, environment)
        metrics(binary, environment)
        demo.send("\x03")
        demo.ends()
    finally:
        demo.close()
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
