"""A program at a terminal of its own: what is typed, and what it shows."""
import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time


PROMPT = r"millrace>(\x1b\[0m)? "


class Terminal:
    """`shown` is all that came; expect() looks behind what it found last."""

    def __init__(self, command, columns=100, rows=30, env=None):
        ours, theirs = pty.openpty()
        self.fd = ours
        self.resize(columns, rows, tell=False)
        environment = {**os.environ, "TERM": "vt100", "LC_ALL": "C.UTF-8", **(env or {})}
        environment = {name: value for name, value in environment.items() if value is not None}
        self.before = termios.tcgetattr(theirs)
        self.process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment,
                                        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.slave = theirs
        self.shown = ""
        self.at = 0

    def resize(self, columns, rows, tell=True):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        if tell:
            os.kill(self.process.pid, signal.SIGWINCH)

    def send(self, text):
        # libedit shows its prompt and then takes the terminal over; the kernel throws an end of file of before that away.
        deadline = time.monotonic() + 5
        while text == "\x04" and termios.tcgetattr(self.slave)[3] & termios.ICANON and time.monotonic() < deadline:
            time.sleep(0.01)
        os.write(self.fd, text.encode())

    def line(self, text):
        self.send(text + "\n")

    def read(self, within):
        ready, _, _ = select.select([self.fd], [], [], within)
        with contextlib.suppress(OSError):
            if ready:
                self.shown += os.read(self.fd, 1 << 16).decode("utf-8", "replace").replace("\r\n", "\n")

    def expect(self, pattern, within=20):
        """The match, behind the last one."""
        deadline = time.monotonic() + within
        while not (found := re.compile(pattern, re.S | re.M).search(self.shown, self.at)):
            assert time.monotonic() < deadline, f"{pattern!r} is not in {self.shown[self.at:]!r}"
            self.read(0.1)
        self.at = found.end()
        return found

    def ask(self, text, pattern, prompt=PROMPT):
        """Types a line; what the pattern finds before the next prompt."""
        self.line(text)
        found = self.expect(pattern)
        self.expect(prompt)
        return found

    def restored(self):
        return termios.tcgetattr(self.slave) == self.before

    def ends(self, within=20):
        deadline = time.monotonic() + within
        while self.process.poll() is None and time.monotonic() < deadline:
            self.read(0.05)
        code = self.process.poll()
        assert code is not None, f"it goes on: {self.shown[-1000:]!r}"
        self.read(0)
        return code

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.fd)
        os.close(self.slave)
