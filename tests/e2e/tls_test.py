#!/usr/bin/env python3
"""TLS as a client meets it: the example of docs/deployment/tls.md as written, the command line, certificates that change
while connections are open, and peers that do not keep to the rules."""
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import time

from harness import ROOT, free_port, main

PAGE = os.path.join(ROOT, "docs", "deployment", "tls.md")
EVENT = b'{"visitor":"ana"}\n'


def make_pair(test, name, names="DNS:localhost,IP:127.0.0.1", key_options=()):
    """A certificate that its own key has signed."""
    cert, key = (os.path.join(test.root, f"{name}.{kind}.pem") for kind in ("cert", "key"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-days", "30",
                    "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}", "-keyout", key, "-out", cert,
                    *(key_options or ["-nodes"])], check=True, capture_output=True)
    return cert, key


def copy(source, to):
    """As certbot does: the new file takes the old one's place."""
    with open(source, "rb") as f, open(to + ".new", "wb") as g:
        g.write(f.read())
    os.replace(to + ".new", to)


class Tls:
    """A server with TLS beside its plain address."""

    def __init__(self, test, name="data", options=(), **pair):
        self.cert, self.key = make_pair(test, name, **pair)
        self.server = test.server(name, options=["--https", "127.0.0.1:0", "--tls-cert", self.cert, "--tls-key", self.key,
                                           *options]).start()
        with open(os.path.join(self.server.directory, "https.port"), encoding="ascii") as f:
            self.port = int(f.read())
        self.url = f"https://127.0.0.1:{self.port}"
        self.server.sql("CREATE STREAM clicks (visitor TEXT)")

    def connect(self, ca=None, plain=False, **kwargs):
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        if plain:
            return raw
        context = ssl.create_default_context(cafile=ca or self.cert)
        for name, value in kwargs.items():
            setattr(context, name, value)
        return context.wrap_socket(raw, server_hostname="localhost")

    def shown(self):
        """The certificate that a new connection gets, as PEM."""
        return ssl.get_server_certificate(("127.0.0.1", self.port))

    def said(self):
        with open(self.server.log, encoding="utf-8") as f:
            return [line for line in f if line.startswith("TLS: ")]


def post(body=EVENT, length=None):
    return (b"POST /v1/streams/clicks/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
            b"Content-Length: %d\r\n\r\n" % (len(body) if length is None else length)) + body


def answer(connection):
    response = http.client.HTTPResponse(connection)
    response.begin()
    return response.status, response.read()


def wait_for(what, within=15):
    deadline = time.monotonic() + within
    while not what():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def the_page(test):
    """The commands in the order of the page; the node is started by its line and ended at the end."""
    with open(PAGE, encoding="utf-8") as f:
        block = re.search(r"^```sh\n(.*?)^```", f.read(), re.S | re.M).group(1)
    port, node, outputs = free_port(), None, []
    for line in block.replace("\\\n", " ").splitlines():
        here = re.sub(r"\bmillrace (?=serve|sql|produce|consume)", test.binary + " ", line).replace("8443", str(port))
        if here.endswith("&"):
            with open(os.path.join(test.root, "node.log"), "w", encoding="utf-8") as log:
                node = subprocess.Popen(here.removesuffix("&").split(), cwd=test.root, stdout=log, stderr=log)
            wait_for(lambda: os.path.exists(os.path.join(test.root, "data", "https.port")))
            continue
        done = subprocess.run(here, shell=True, cwd=test.root, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, (line, done)
        outputs.append(done.stdout)
    assert outputs[1] == "live\n" and json.loads(outputs[-1]) == {"visitor": "ana"}, outputs
    assert not os.path.exists(os.path.join(test.root, "data", "http.port"))
    node.terminate()
    assert node.wait(30) == 0


def the_command_line(test):
    tls = Tls(test)
    other, _ = make_pair(test, "other", "DNS:events.example.com")
    text = json.dumps({"visitor": "bob"}) + "\n"
    for _ in range(2):
        assert test.cli("produce", "--server", tls.url, "--ca", tls.cert, "clicks", stdin=text).returncode == 0
    done = test.cli("consume", "--server", tls.url, "clicks", env={"MILLRACE_CA": tls.cert})
    assert done.returncode == 0 and done.stdout == 2 * '{"visitor": "bob"}\n', done
    big = "".join(json.dumps({"visitor": "v" * 1000}) + "\n" for _ in range(3000))
    assert test.cli("produce", "--server", tls.url, "--ca", tls.cert, "clicks", stdin=big).returncode == 0
    assert test.cli("consume", "--server", tls.url, "--ca", tls.cert, "clicks").stdout.count("\n") == 3002

    def fails(code, exit_code, *options, text=""):
        done = test.cli("sql", *options, "-c", "SHOW STREAMS")
        assert done.returncode == exit_code and code in done.stderr and text in done.stderr, done
        assert "hint: " in done.stderr, done

    fails("MR-NODE-0012", 1, "--server", tls.url, text="self-signed")
    fails("MR-NODE-0012", 1, "--server", tls.url, "--ca", other, text="self-signed")
    fails("MR-API-0037", 1, "--server", tls.url, "--ca", "/nowhere.pem", text="/nowhere.pem")
    fails("MR-API-0038", 1, "--server", tls.url, "--ca", tls.key, text="holds no certificate")
    fails("MR-NODE-0013", 1, "--server", tls.server.url.replace("http:", "https:"))
    fails("MR-API-0036", 1, "--server", tls.url.replace("https:", "http:"), text="https://")
    fails("MR-CLI-0001", 3, "--server", f"https://127.0.0.1:{free_port()}", text="https://")
    # What is wrong with a certificate does not pass by waiting.
    begun = time.monotonic()
    done = test.cli("produce", "--server", tls.url, "clicks", stdin=text)
    assert done.returncode == 1 and "MR-NODE-0012" in done.stderr and time.monotonic() - begun < 5, done
    named = Tls(test, "named", names="DNS:events.example.com")
    fails("MR-NODE-0012", 1, "--server", named.url, "--ca", named.cert, text="not for 127.0.0.1")


def what_a_start_suggests(test):
    """With TLS alone, too, it works as it is written."""
    server = Tls(test, "alone").server
    server.stop()
    process = subprocess.Popen([test.binary, "serve", "--data", server.directory, "--http", "off", *server.options], stderr=subprocess.PIPE, text=True)
    try:
        tried = next(re.search(r"  try: (millrace .*?)   or   (curl .*)", line) for line in process.stderr if "try: " in line)
        for command in tried.groups():
            here = command.replace("millrace ", test.binary + " ", 1)
            done = subprocess.run(["bash", "-c", here], capture_output=True, text=True, timeout=20)
            assert done.returncode == 0 and "MR-" not in done.stdout, (command, done)
    finally:
        process.terminate()
        process.communicate(timeout=30)


def starts_that_fail(test):
    cert, key = make_pair(test, "good")
    _, other = make_pair(test, "other")
    locked_cert, locked = make_pair(test, "locked", key_options=["-passout", "pass:secret"])
    empty = os.path.join(test.root, "empty.pem")
    with open(empty, "w", encoding="ascii"):
        pass
    https = ["--https", "127.0.0.1:0"]
    cases = [(https, 2, "MR-NODE-0011", "--tls-cert"), (["--tls-cert", cert], 2, "MR-NODE-0011", "--https"),
             ([*https, "--tls-cert", "/nowhere.pem", "--tls-key", key], 1, "MR-API-0037", "/nowhere.pem: No such file"),
             ([*https, "--tls-cert", empty, "--tls-key", key], 2, "MR-API-0038", f"{empty} holds no certificate"),
             ([*https, "--tls-cert", cert, "--tls-key", cert], 2, "MR-API-0038", f"{cert} holds no private key"),
             ([*https, "--tls-cert", cert, "--tls-key", other], 2, "MR-API-0038", f"{other} is not the one"),
             ([*https, "--tls-cert", locked_cert, "--tls-key", locked], 2, "MR-API-0038", f"{locked} is encrypted"),
             ([*https, "--tls-cert", cert, "--tls-key", key, "--tls-client-ca", key], 2, "MR-API-0038", key),
             (["--https", "0.0.0.0:0", "--tls-cert", cert, "--tls-key", key], 2, "MR-API-0030", "millrace tokens create")]
    for options, code, error, text in cases:
        done = test.cli("serve", "--data", os.path.join(test.root, "none"), "--http", "off", *options)
        assert done.returncode == code and error in done.stderr and text in done.stderr, (options, done)
        assert "hint: " in done.stderr, done


def certificates_change(test):
    tls = Tls(test)
    kept = tls.connect()
    first = tls.shown()
    expires = tls.server.metric("millrace_tls_certificate_expires_seconds")
    assert 29 * 86400 < expires - time.time() < 31 * 86400, expires
    cert, key = make_pair(test, "second")
    copy(cert, tls.cert)  # and not yet its key: the old pair goes on
    os.kill(tls.server.process.pid, signal.SIGHUP)
    wait_for(lambda: len(tls.said()) == 1)
    assert "refused" in tls.said()[0] and "MR-API-0038" in tls.said()[0] and tls.key in tls.said()[0], tls.said()
    assert tls.shown() == first
    copy(key, tls.key)
    wait_for(lambda: tls.shown() != first)  # without being told
    with open(cert, encoding="ascii") as f:
        assert tls.shown() == f.read()
    third = make_pair(test, "third")
    for source, to in zip(third, (tls.cert, tls.key)):
        copy(source, to)
    os.kill(tls.server.process.pid, signal.SIGHUP)
    wait_for(lambda: "valid until" in tls.said()[-1] and len(tls.said()) >= 3, within=2)
    kept.sendall(post())
    status, body = answer(kept)
    assert status == 200 and json.loads(body)["accepted"] == 1, (status, body)
    assert tls.server.metric("millrace_tls_certificates_refused_total") == 1


def bad_peers(test):
    tls = Tls(test)
    with tls.connect(plain=True) as c:
        c.sendall(post())
        status, body = answer(c)
        assert status == 400 and b"MR-API-0036" in body, body
    half = [tls.connect(plain=True) for _ in range(1000)]
    for c in half:
        c.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    with tls.connect() as c:  # others are served, at once
        begun = time.monotonic()
        c.sendall(post())
        assert answer(c)[0] == 200 and time.monotonic() - begun < 2
    for c in half:
        c.close()
    for notified in (False, True):  # a body that is cut is no body, whatever the cut looks like
        c = tls.connect()
        c.sendall(post(length=2 * len(EVENT)))
        raw = socket.socket(fileno=os.dup(c.fileno()))
        if notified:
            c.settimeout(1)
            c.unwrap()
        c.close()
        raw.close()
    wait_for(lambda: tls.server.metric("millrace_http_connections") == 1)  # the one that asks
    assert len(tls.server.events("clicks")) == 1
    # TLS 1.2's renegotiation, by OpenSSL's own client: R on a line of its own asks for it.
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{tls.port}", "-tls1_2", "-CAfile", tls.cert],
                          input="R\n", capture_output=True, text=True, timeout=20)
    assert "RENEGOTIATING" in done.stdout + done.stderr and "no renegotiation" in done.stderr, done
    for flag in ("-tls1_1", "-tls1"):
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{tls.port}", flag, "-cipher",
                               "ALL:@SECLEVEL=0"], input="", capture_output=True, text=True, timeout=20)
        assert done.returncode != 0 and "Cipher is (NONE)" in done.stdout, done


def clients_show_certificates(test):
    ca, key = make_pair(test, "client")
    tls = Tls(test, options=["--tls-client-ca", ca])
    context = ssl.create_default_context(cafile=tls.cert)
    context.load_cert_chain(ca, key)
    with context.wrap_socket(socket.create_connection(("127.0.0.1", tls.port)), server_hostname="localhost") as c:
        c.sendall(post())
        assert answer(c)[0] == 200
    try:
        with tls.connect() as c:
            c.sendall(post())
            raise AssertionError(answer(c))
    except (ssl.SSLError, ConnectionError):
        pass
    assert len(tls.server.events("clicks")) == 1


if __name__ == "__main__":
    main([the_page, the_command_line, what_a_start_suggests, starts_that_fail, certificates_change, bad_peers, clients_show_certificates])
