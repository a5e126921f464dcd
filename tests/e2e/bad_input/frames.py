"""What bad WebSocket handshakes and frames get. A case is a line. The frames are made by hand: a client's library would
not send them."""
import contextlib
import os
import re
import socket
import struct
import zlib

KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
UPGRADE = (b"GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           b"Sec-WebSocket-Version: 13\r\n")
TEXT, BINARY, CLOSE, PING, FIN, COMPRESSED = 1, 2, 8, 9, 0x80, 0x40


def frame(first, payload=b"", masked=True, length=None):
    """One frame; `length` is what it says, if that is not what it has."""
    said = len(payload) if length is None else length
    mask = os.urandom(4) if masked else b""
    top = 0x80 if masked else 0
    if said < 126:
        head = struct.pack("!BB", first, top | said)
    elif said < 1 << 16:
        head = struct.pack("!BBH", first, top | 126, said)
    else:
        head = struct.pack("!BBQ", first, top | 127, said)
    if masked and payload:
        stream = (mask * (len(payload) // 4 + 1))[:len(payload)]
        payload = (int.from_bytes(payload, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(payload), "big")
    return head + mask + payload


def deflated(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return (packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


# Handshakes that are refused: more header lines, the status, the code.
HANDSHAKES = [
    (KEY + b"Origin: http://evil.example\r\n", 403, "MR-API-0009"),
    (KEY + b"Origin: null\r\n", 403, "MR-API-0009"),
    (b"", 426, "MR-API-0025"),
    (b"Sec-WebSocket-Key: short\r\n", 426, "MR-API-0025"),
    (KEY + KEY, 400, "MR-API-0007"),
]

# What is sent once the connection is open, and the code it is closed with.
FRAMES = [
    (frame(FIN | TEXT, b'{"ping":1}', masked=False), 1002),
    (frame(PING, b"part"), 1002),  # a control frame in pieces
    (frame(FIN | PING, b"x" * 126), 1002),
    (frame(FIN | PING, length=(1 << 63)), 1002),
    (frame(FIN | 3, b"x"), 1002),
    (frame(FIN | 0x20 | TEXT, b"x"), 1002),
    (frame(FIN, b"x"), 1002),  # goes on with what has not begun
    (frame(TEXT, b"{") + frame(FIN | TEXT, b"}"), 1002),
    (frame(FIN | CLOSE, b"\x03"), 1002),
    (frame(FIN | CLOSE, struct.pack("!H", 1005)), 1002),
    (frame(FIN | COMPRESSED | TEXT, b"\xff\xff\xff"), 1007),
    (frame(FIN | TEXT, b'"\xff"'), 1007),
    (frame(FIN | BINARY, b"{}"), 1003),
    (frame(FIN | TEXT, length=(1 << 40)), 1009),
    (frame(FIN | COMPRESSED | TEXT, deflated(b" " * 100_000_000)), 1009),
    (b"".join(frame(TEXT if n == 0 else 0, b" " * 60_000) for n in range(100)), 1009),
]

# Messages that the connection outlives, and the code of the error.
MESSAGES = [
    (b"[" * 100_000, "MR-API-0026"),
    (b'{"ping":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "MR-API-0026"),
    (b'{"' + b"k" * 3_000_000 + b'":1}', "MR-API-0026"),
    (b'{"ping":1,"ping":2}', "MR-API-0026"),
    (b"{" + b",".join(b'"k%d":1' % n for n in range(100_000)) + b"}", "MR-API-0026"),
]


class Socket:
    """A connection that has been opened as a WebSocket."""

    def __init__(self, server, more=b"", buffer=None):
        self.socket = socket.socket()
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.settimeout(60)
        self.socket.connect(("127.0.0.1", server.port))
        self.socket.sendall(UPGRADE + KEY + more + b"\r\n")
        self.got = b""
        while b"\r\n\r\n" not in self.got:
            self.got += self.socket.recv(4096)
        self.head, _, self.got = self.got.partition(b"\r\n\r\n")
        assert self.head.startswith(b"HTTP/1.1 101 "), self.head

    def send(self, data):
        with contextlib.suppress(ConnectionError):  # it may be closed before all is sent
            self.socket.sendall(data)

    def take(self, count):
        while len(self.got) < count:
            piece = self.socket.recv(1 << 16)
            if not piece:
                raise EOFError(self.got[:200])
            self.got += piece
        taken, self.got = self.got[:count], self.got[count:]
        return taken

    def frame(self):
        first, length = self.take(2)
        if length >= 126:
            length = int.from_bytes(self.take(2 if length == 126 else 8), "big")
        return first & 15, self.take(length)

    def closed_with(self):
        """The code and the reason, whatever comes before."""
        while True:
            kind, payload = self.frame()
            if kind == CLOSE:
                return struct.unpack("!H", payload[:2])[0], payload[2:].decode()

    def close(self):
        self.socket.close()


def bad_frames(test):
    server = test.server().start()
    server.sql("CREATE STREAM s (id BIGINT)")
    for more, status, code in HANDSHAKES:
        got = server.raw(UPGRADE + more + b"\r\n")
        assert re.match(rb"HTTP/1\.1 (\d+)", got)[1] == b"%d" % status and code.encode() in got, (more, got[:600])
    witness = Socket(server)
    offer = b"Sec-WebSocket-Extensions: permessage-deflate\r\n"
    for data, code in FRAMES:
        bad = Socket(server, offer)
        bad.send(data)
        closed = bad.closed_with()
        assert closed[0] == code and closed[1], (data[:40], closed)
        bad.close()
    for message, code in MESSAGES:
        witness.send(frame(FIN | TEXT, message))
        kind, answer = witness.frame()
        assert kind == TEXT and code.encode() in answer and len(answer) < 1000, (message[:40], answer[:300])
    witness.send(frame(FIN | TEXT, b'{"ping":7}'))
    assert witness.frame() == (TEXT, b'{"pong":7}')
    witness.close()


TESTS = [bad_frames]
