"""A peer of Python: websockets or aiohttp, as a client or a server.

It answers each message with the same message, as the same kind, and "close CODE REASON" by closing.
A client asks first: "hello", 1,000,000 bytes, "", a text; and prints what came. A server prints its
port, and why each client ended.
"""

import asyncio
import sys

PATTERN = bytes(range(251)) * 3984 + bytes(range(16))


def says_close(message):
    text = message if isinstance(message, str) else message.decode("latin-1")
    return text.split(" ", 2)[1:] if text.startswith("close ") else None


def show(*words):
    print(*words, flush=True)


async def websockets_server():
    from websockets.asyncio.server import serve

    async def handler(ws):
        async for message in ws:
            if close := says_close(message):
                await ws.close(int(close[0]), close[1] if len(close) > 1 else "")
                break
            await ws.send(message)
        show("ended", ws.close_code, ws.close_reason)

    async with serve(handler, "127.0.0.1", 0, subprotocols=["echo"]) as server:
        show(server.sockets[0].getsockname()[1])
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def websockets_client(url):
    from websockets.asyncio.client import connect
    from websockets.exceptions import ConnectionClosed, InvalidStatus

    try:
        async with connect(url, subprotocols=["echo"]) as ws:
            show("protocol", ws.subprotocol, "extensions", ws.protocol.extensions)
            for message in [b"hello", PATTERN[:1_000_000], b"", "Grüße"]:
                await ws.send(message)
                answer = await ws.recv(decode=False)
                expected = message.encode() if isinstance(message, str) else message
                show(len(answer), answer == expected)
            pong = await ws.ping()
            await pong
            show("pong")
            # In three pieces.
            await ws.send(["a", "b", "c"])
            show((await ws.recv(decode=False)).decode())
        show("closed", ws.close_code)
    except ConnectionClosed as closed:
        show("closed", closed.rcvd and closed.rcvd.code, closed.rcvd and closed.rcvd.reason)
    except InvalidStatus as refused:
        show("refused", refused.response.status_code, refused.response.body.decode().strip())


async def aiohttp_server():
    from aiohttp import WSMsgType, web

    async def handler(request):
        ws = web.WebSocketResponse(protocols=["echo"])
        await ws.prepare(request)
        async for message in ws:
            if message.type == WSMsgType.ERROR:
                break
            if close := says_close(message.data):
                await ws.close(code=int(close[0]), message=" ".join(close[1:]).encode())
                break
            if message.type == WSMsgType.TEXT:
                await ws.send_str(message.data)
            else:
                await ws.send_bytes(message.data)
        show("ended", ws.close_code, "")
        return ws

    app = web.Application()
    app.router.add_get("/{any:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    show(runner.addresses[0][1])
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


async def aiohttp_client(url):
    import aiohttp

    async with aiohttp.ClientSession() as session:
        try:
            async with session.ws_connect(url, protocols=["echo"]) as ws:
                show("protocol", ws.protocol, "extensions", [])
                for message in [b"hello", PATTERN[:1_000_000], b"", "Grüße"]:
                    if isinstance(message, str):
                        await ws.send_str(message)
                    else:
                        await ws.send_bytes(message)
                    answer = await ws.receive()
                    if answer.type == aiohttp.WSMsgType.CLOSE:
                        break
                    answer = answer.data
                    answer = answer.encode() if isinstance(answer, str) else answer
                    expected = message.encode() if isinstance(message, str) else message
                    show(len(answer), answer == expected)
                if not ws.closed:
                    await ws.ping()
                    show("pong")
                    await ws.send_str("abc")
                    answer = (await ws.receive()).data
                    show(answer if isinstance(answer, str) else answer.decode())
            show("closed", ws.close_code)
        except aiohttp.WSServerHandshakeError as refused:
            show("refused", refused.status)


async def main():
    library, role = sys.argv[1:3]
    run = globals()[f"{library}_{role}"]
    await (run(sys.argv[3]) if role == "client" else run())


asyncio.run(main())
