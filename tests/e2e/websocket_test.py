#!/usr/bin/env python3
"""WebSocket by a client that is not ours: Debian's python3-websockets, against the real binary, kills included. Run by
Debian's interpreter, which sees that package; without it the test fails."""
import asyncio
import contextlib
import hashlib
import json
import os
import re
import subprocess
import sys

import websockets

from harness import ROOT, main

SCHEMA = "CREATE STREAM s (id BIGINT, name TEXT) WITH (key = 'name', partitions = 2)"


def started(test, **kwargs):
    server = test.server(**kwargs).start()
    server.sql(SCHEMA)
    return server


def connect(server, token=None, **kwargs):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return websockets.connect(f"ws://127.0.0.1:{server.port}/v1/ws", extra_headers=headers, **kwargs)


def run(test, conversation, **kwargs):
    server = started(test, **kwargs)
    asyncio.run(asyncio.wait_for(conversation(test, server), 120))
    return server


async def say(ws, **command):
    await ws.send(json.dumps(command))


async def hear(ws):
    return json.loads(await ws.recv())


async def ask(ws, **command):
    await say(ws, **command)
    return await hear(ws)


def events_of(ids):
    return [{"id": i, "name": f"n{i % 7}"} for i in ids]


async def follow(ws, count):
    """So many events of the one subscription, and the cursor behind them."""
    events, cursor = [], None
    while len(events) < count:
        message = await hear(ws)
        events += message["events"]
        cursor = message["cursor"]
    return events, cursor


def publishes_and_subscriptions(test):
    async def conversation(_, server):
        async with connect(server, subprotocols=["millrace.v1"]) as ws, connect(server, compression=None) as plain:
            assert ws.subprotocol == "millrace.v1"
            assert [type(e).__name__ for e in ws.extensions] == ["PerMessageDeflate"] and not plain.extensions
            assert (await ask(plain, subscribe="s", id="live")).keys() == {"subscribed", "cursor"}
            for n in range(0, 1000, 25):
                await say(ws, publish="s", id=n, events=events_of(range(n, n + 25)))
            acks = [await hear(ws) for _ in range(40)]
            assert [a["ack"] for a in acks] == list(range(0, 1000, 25))
            assert all(a["accepted"] == 25 and a["durability"] == "disk" for a in acks)
            live, _ = await follow(plain, 1000)
            stored = server.events("s")
            assert live == stored and sorted(e["id"] for e in stored) == list(range(1000))
            begun = await ask(ws, subscribe="s", id=7, **{"from": acks[19]["cursor"]})
            assert begun == {"subscribed": 7, "cursor": acks[19]["cursor"]}
            assert await follow(ws, 500) == (stored[500:], acks[-1]["cursor"])
            await say(ws, unsubscribe=7)
            assert await hear(ws) == {"unsubscribed": 7, "cursor": acks[-1]["cursor"]}
            refused = await ask(ws, publish="nothing", id="x", events=[{}])
            assert refused["id"] == "x" and refused["error"]["code"] == "MR-API-0018"
            server.sql("DROP STREAM s")
            assert (await hear(plain))["error"]["code"] == "MR-EVS-0005"
            await asyncio.wait_for(await ws.ping(), 10)
    run(test, conversation)


def traces_go_with_their_events(test):
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    async def conversation(_, server):
        async with connect(server) as ws:
            await ask(ws, publish="s", id=1, events=events_of(range(1)))
            await ask(ws, publish="s", id=2, events=events_of(range(1, 3)), traceparent=parent, tracestate="a=1")
            await ask(ws, publish="s", id=3, events=events_of(range(3, 4)), traceparent="00-7")
            await ask(ws, subscribe="s", id=4, **{"from": "start"})
            events, traces = [], {}
            while len(events) < 4:
                message = await hear(ws)
                for trace in message.get("traces", []):
                    traces[len(events) + trace.pop("event")] = trace
                events += message["events"]
            assert traces == {n: {"traceparent": parent, "tracestate": "a=1"} for n in (1, 2)}, traces
    run(test, conversation)


def messages_of_every_form(test):
    """Fragments, compressed ones, large ones; numbers that a browser would round."""
    async def conversation(_, server):
        large = json.dumps({"publish": "s", "id": 1, "events": [{"id": i, "name": "x" * 1000} for i in range(3000)]})
        assert 3_000_000 < len(large) < 4 << 20
        for compression in ("deflate", None):
            async with connect(server, compression=compression) as ws:
                await ws.send(large[at:at + 10_000] for at in range(0, len(large), 10_000))
                assert (await hear(ws))["accepted"] == 3000
                await ws.send(large)
                assert (await hear(ws))["accepted"] == 3000
                await say(ws, publish="s", id=2, events=[{"id": 2**53 + 1, "name": "ünï\u2028cödé 𐍈"}])
                last = await hear(ws)
                await say(ws, subscribe="s", id=3, numbers="string", limit=6001, **{"from": "start"})
                assert (await hear(ws))["subscribed"] == 3
                events, cursor = await follow(ws, 6001)
                assert events[0] == {"id": "0", "name": "x" * 1000}
                if compression:
                    assert cursor == last["cursor"]
                    assert events[-1] == {"id": str(2**53 + 1), "name": "ünï\u2028cödé 𐍈"}
                assert await hear(ws) == {"unsubscribed": 3, "cursor": cursor}
        for message, code in ((b"{}", 1003), ("x" * (4 << 20) + "y", 1009)):
            async with connect(server) as ws:
                with contextlib.suppress(websockets.ConnectionClosed):
                    await ws.send(message)
                await ws.wait_closed()
                assert ws.close_code == code, (ws.close_code, ws.close_reason)
    run(test, conversation)


def keys_are_those_of_http(test):
    async def conversation(_, server):
        body = '[{"id":1,"name":"a"}]'
        first = json.loads(server.call("POST", "/v1/streams/s/events", body.encode(),
                                       {"Content-Type": "application/json", "Idempotency-Key": "k"})[0])
        async with connect(server) as ws:
            await ws.send('{"publish":"s","id":1,"key":"k","events":%s}' % body)
            again = await hear(ws)
            assert again.pop("ack") == 1 and again.pop("replayed") and again == first
            other = await ask(ws, publish="s", id=2, key="k", events=[{"id": 2}])
            assert other["error"]["code"] == "MR-ING-0007" and other["error"]["status"] == 422
        assert len(server.events("s")) == 1
    run(test, conversation)


def across_kills(test):
    """kill -9 while events go in and out: each counts once, a follower sees the log's order without a gap."""
    total = 3000

    async def produce(server):
        waiting = {n: events_of(range(n, n + 10)) for n in range(0, total, 10)}
        while waiting:
            with contextlib.suppress(OSError, websockets.WebSocketException, asyncio.TimeoutError):
                async with connect(server, open_timeout=5) as ws:
                    for batch in [list(waiting)[i:i + 5] for i in range(0, len(waiting), 5)]:
                        for n in batch:
                            await say(ws, publish="s", id=n, key=f"k{n}", events=waiting[n])
                        for _ in batch:
                            del waiting[(await hear(ws))["ack"]]
                        await asyncio.sleep(0.005)
            await asyncio.sleep(0.01)

    async def consume(server, got):
        cursor = "start"
        while len(got) < total:
            with contextlib.suppress(OSError, websockets.WebSocketException, asyncio.TimeoutError):
                async with connect(server, open_timeout=5) as ws:
                    await say(ws, subscribe="s", id=1, **{"from": cursor})
                    assert (await hear(ws))["subscribed"] == 1
                    while len(got) < total:
                        message = await hear(ws)
                        got += [e["id"] for e in message["events"]]
                        cursor = message["cursor"]
            await asyncio.sleep(0.01)

    async def kill(server):
        for _ in range(4):
            await asyncio.sleep(test.random.uniform(0.05, 0.25))
            server.kill()
            await asyncio.to_thread(server.start)

    async def conversation(_, server):
        server.address = f"127.0.0.1:{server.port}"
        got = []
        await asyncio.gather(produce(server), consume(server, got), kill(server))
        stored = [e["id"] for e in server.events("s")]
        assert sorted(stored) == list(range(total)) and got == stored
    run(test, conversation, options=["--segment-mb", "8"])


def stopping(test):
    async def conversation(_, server):
        async with connect(server) as ws, connect(server) as idle:
            await ask(idle, subscribe="s", id=1)
            await say(ws, publish="s", id=1, events=events_of(range(10)))
            assert (await hear(ws))["ack"] == 1
            assert await asyncio.to_thread(server.stop) == 0
            for connection in (ws, idle):
                await connection.wait_closed()
                assert (connection.close_code, connection.close_reason) == (1001, "the server is stopping")
        server.start()
        assert len(server.events("s")) == 10
    run(test, conversation)


def tenants(test):
    path = os.path.join(test.root, "tokens.yaml")
    with open(path, "w", encoding="utf-8") as f:
        f.write("tokens:\n")
        for tenant in ("a", "b"):
            digest = hashlib.sha256(f"of-{tenant}".encode()).hexdigest()
            f.write(f"  - {{tenant: {tenant}, sha256: {digest}, events_per_s: 100}}\n")
    server = test.server(options=["--tokens", path]).start()
    for tenant in ("a", "b"):
        headers = {"Content-Type": "application/sql", "Authorization": f"Bearer of-{tenant}"}
        server.call("POST", "/v1/sql", f"{SCHEMA}; CREATE STREAM of_{tenant} (id BIGINT)".encode(), headers)

    async def conversation():
        for token in (None, "of-c"):
            try:
                async with connect(server, token):
                    raise AssertionError("anybody may connect")
            except websockets.InvalidStatusCode as refused:
                assert refused.status_code == 401
        async with connect(server, "of-a") as a, connect(server, "of-b") as b:
            await ask(b, subscribe="s", id=1)
            assert (await ask(a, publish="s", id=1, events=events_of(range(5))))["accepted"] == 5
            for command in ({"publish": "of_b", "events": [{}]}, {"subscribe": "of_b"}):
                refused = await ask(a, id=2, **command)
                assert refused["error"]["code"] == "MR-API-0018" and "of_b" not in refused["error"].get("hint", "")
            assert (await ask(b, ping=3)) == {"pong": 3}, "nothing of a's has come"
            assert (await ask(a, publish="s", id=4, events=events_of(range(300))))["accepted"] == 300
            late = await ask(a, publish="s", id=5, events=events_of(range(1)))
            assert late["error"]["code"] == "MR-ING-0008" and late["retry_after"] > 0.5, late
            assert (await ask(b, publish="s", id=6, events=events_of(range(1))))["accepted"] == 1
    asyncio.run(asyncio.wait_for(conversation(), 60))


def the_page_s_program(test):
    """docs/api/websocket.md: its program prints what the page says."""
    with open(os.path.join(ROOT, "docs/api/websocket.md"), encoding="utf-8") as f:
        page = f.read()
    program = re.search(r"^```python\n(.*?)^```", page, re.S | re.M).group(1)
    printed = re.search(r"it prints\n\n```\n(.*?)^```", page, re.S | re.M).group(1)
    server = test.server().start()
    for statement in re.findall(r"`(CREATE [^`]*)`", page):
        server.sql(statement)
    server.wait_running("per_sensor")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "MILLRACE_WS": f"ws://127.0.0.1:{server.port}/v1/ws"})
    assert done.returncode == 0, done.stderr
    assert done.stdout == printed, done.stdout


if __name__ == "__main__":
    main([publishes_and_subscriptions, traces_go_with_their_events, messages_of_every_form, keys_are_those_of_http, across_kills, stopping, tenants,
          the_page_s_program])
