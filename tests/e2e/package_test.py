#!/usr/bin/env python3
"""The Debian package: what is in it, its files as the programs that read them see them, the binary run from it; `make install`;
what a service manager is told. Nothing is installed on this machine."""
import os
import re
import socket
import subprocess

import harness
from harness import main

FILES = """etc/millrace/millrace.yaml usr/bin/millrace usr/lib/systemd/system/millrace.service usr/lib/sysusers.d/millrace.conf
usr/lib/tmpfiles.d/millrace.conf usr/share/bash-completion/completions/millrace usr/share/doc/millrace/copyright
usr/share/doc/millrace/millrace.yaml usr/share/fish/vendor_completions.d/millrace.fish usr/share/zsh/vendor-completions/_millrace
usr/share/man/man1/millrace.1.gz usr/share/man/man1/millrace-serve.1.gz usr/share/man/man5/millrace.yaml.5.gz""".split()


def ran(*command, **kwargs):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, **kwargs)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout + done.stderr


def build_folder(test):
    return os.path.dirname(os.path.dirname(test.binary))


def files_below(root):
    return {os.path.relpath(os.path.join(folder, name), root) for folder, _, names in os.walk(root) for name in names}


def debian_package(test):
    made = os.path.join(test.root, "made")
    ran("cpack", "-B", made, cwd=build_folder(test))
    package, = [os.path.join(made, name) for name in os.listdir(made) if name.endswith(".deb")]
    root = os.path.join(test.root, "root")
    ran("dpkg-deb", "-x", package, root)
    there = files_below(root)
    assert set(FILES) <= there, set(FILES) - there
    odd = [name for name in there if name not in FILES and not re.match(r"usr/share/man/man1/millrace-[\w-]+\.1\.gz$", name)]
    assert not odd, odd
    assert all(" root/root " in line for line in ran("dpkg-deb", "-c", package).splitlines())
    control = ran("dpkg-deb", "-f", package)
    assert re.search(r"^Depends: systemd, tzdata, .*libc6 .*libssl3 ", control, re.M), control
    ran("dpkg-deb", "-e", package, os.path.join(test.root, "control"))
    with open(os.path.join(test.root, "control/conffiles"), encoding="ascii") as f:
        assert f.read() == "/etc/millrace/millrace.yaml\n"
    for script in ("postinst", "prerm", "postrm"):
        path = os.path.join(test.root, "control", script)
        assert os.access(path, os.X_OK)
        ran("sh", "-n", path)
    as_read(test, root)


def as_read(test, root):
    binary = os.path.join(root, "usr/bin/millrace")
    assert ran(binary, "version") == test.cli("version").stdout
    configuration = os.path.join(root, "etc/millrace/millrace.yaml")
    assert "1 setting, all good" in ran(binary, "config", "check", configuration)
    assert 'data: "/var/lib/millrace"\n' in ran(binary, "config", "show", "--config", configuration)
    ran("systemd-sysusers", f"--root={root}", "millrace.conf")
    if os.geteuid() == 0:  # a folder is given away
        ran("systemd-tmpfiles", f"--root={root}", "--create", "millrace.conf")
        assert os.stat(os.path.join(root, "var/lib/millrace")).st_mode & 0o777 == 0o750
    the_unit(test, root)
    packaged = harness.Server(binary, os.path.join(test.root, "packaged"), options=["--config", configuration])
    test.servers.append(packaged)
    packaged.start()
    packaged.sql("CREATE STREAM s (id BIGINT)")
    packaged.produce("s", [{"id": 1}])


def the_unit(test, root):
    """Verified with the binary where it lies here; systemd's own units are this machine's."""
    with open(os.path.join(root, "usr/lib/systemd/system/millrace.service"), encoding="utf-8") as f:
        unit = f.read()
    assert "ExecStart=/usr/bin/millrace serve --config /etc/millrace/millrace.yaml\n" in unit
    path = os.path.join(test.root, "millrace.service")
    with open(path, "w", encoding="utf-8") as f:
        f.write(unit.replace("/usr/bin/", os.path.join(root, "usr/bin/")))
    said = ran("systemd-analyze", "verify", "--man=no", path)
    assert not [line for line in said.splitlines() if "millrace" in line], said
    said = ran("systemd-analyze", "security", "--offline=true", "--threshold=20", path)
    assert "Overall exposure level for millrace.service: 1." in said, said[-200:]


def an_installation(test):
    """Below DESTDIR only, with the paths of PREFIX in it; a configuration that is there stays."""
    target = os.path.join(test.root, "target")
    install = ["cmake", "--install", build_folder(test), "--strip", "--prefix", "/opt/m"]
    for _ in range(2):
        ran(*install, env={**os.environ, "DESTDIR": target})
        there = files_below(target)
        assert {re.sub("^usr/", "opt/m/", name) for name in FILES} <= there, there
        assert not [name for name in there if not name.startswith(("opt/m/", "etc/millrace/"))], there
        configuration = os.path.join(target, "etc/millrace/millrace.yaml")
        with open(configuration, "a", encoding="utf-8") as f:
            f.write("workers: 3\n")
    with open(configuration, encoding="utf-8") as f:
        assert f.read().count("workers: 3\n") == 2
    with open(os.path.join(target, "opt/m/lib/systemd/system/millrace.service"), encoding="utf-8") as f:
        assert "ExecStart=/opt/m/bin/millrace serve" in f.read()


def a_service_manager(test):
    """READY=1 when it listens, STOPPING=1 at a signal; over a socket with a path, and with an abstract name."""
    for name in (os.path.join(test.root, "notify"), f"@millrace-test-{os.getpid()}"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(name.replace("@", "\0"))
            manager.settimeout(20)
            os.environ["NOTIFY_SOCKET"] = name
            server = test.server(name="notified" + str(len(test.servers)))
            try:
                server.start()
                assert manager.recv(100) == b"READY=1"
                assert server.stop() == 0
                assert manager.recv(100) == b"STOPPING=1"
            finally:
                del os.environ["NOTIFY_SOCKET"]


if __name__ == "__main__":
    main([debian_package, an_installation, a_service_manager])
