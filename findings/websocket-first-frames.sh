#!/usr/bin/env bash
# Software: WebSocket clients: PyPI ws4py 0.6.0 and simple-websocket 1.1.0; for comparison
#   websockets 17.4, websocket-client 1.9.2, aiohttp 3.14.3, lomond 0.3.4, picows 2.3.1, npm ws
#   8.23.0.
# Behaviour: a server speaks at once, and two messages come in the segment of the handshake's
#   answer. ws4py gives the first one and loses the second for good. simple-websocket gives
#   neither until something more has come: a client that waits for a greeting waits for ever.
#   Nobody reports an error.
# A good guess is wrong: the stream begins behind the blank line, wherever segments are cut, and
#   the other clients read it so. Against a server that is slower than its network all is well.
# What a peer does about it: a server that greets sends its first message after the client's first
#   one, or, if it must speak first, behind a pause, and asks for an acknowledgement. A client of
#   these two sends a message or a ping as soon as it is connected, and numbers what it expects.
set -euo pipefail
dir=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi; rm -rf "$dir"' EXIT
python3 --version
node --version
python3 -m venv "$dir/python"
"$dir/python/bin/pip" install -q --disable-pip-version-check ws4py==0.6.0 \
    simple-websocket==1.1.0 websockets==17.4 websocket-client==1.9.2 aiohttp==3.14.3 \
    lomond==0.3.4 picows==2.3.1
npm install --silent --no-audit --no-fund --prefix "$dir" ws@8.23.0

# Says "one" and "two" behind the handshake's answer (port 1) or in the same segment (port 2), and
# "three" three seconds later.
cat > "$dir/server.py" <<'PY'
import base64
import hashlib
import re
import socket
import threading
import time

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def frame(text):
    return bytes([0x81, len(text)]) + text


def serve(connection, pause):
    request = b""
    while b"\r\n\r\n" not in request:
        request += connection.recv(4096)
    key = re.search(rb"(?i)sec-websocket-key: *(\S+)", request)[1]
    accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
    answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    answer += b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    two = frame(b"one") + frame(b"two")
    if pause:
        connection.sendall(answer)
        time.sleep(0.5)
        connection.sendall(two)
    else:
        connection.sendall(answer + two)
    time.sleep(3)
    connection.sendall(frame(b"three"))
    time.sleep(2)
    connection.close()


def accept(listener, pause):
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0], pause), daemon=True).start()


for pause in (True, False):
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=accept, args=(listener, pause), daemon=True).start()
    print(listener.getsockname()[1], flush=True)
threading.Event().wait()
PY

# Prints the messages, and a "+" where 1.5 seconds passed before one.
cat > "$dir/client.py" <<'PY'
import asyncio
import os
import sys
import time

name, url = sys.argv[1:]
got = []
last = None


def message(text):
    global last
    now = time.monotonic()
    got.append(("+ " if last and now - last > 1.5 else "") + text)
    last = now
    if text == "three":
        print(" ".join(got), flush=True)
        os._exit(0)


def blocking(receive):
    global last
    last = time.monotonic()
    while True:
        message(receive())


if name == "ws4py":
    from ws4py.client.threadedclient import WebSocketClient

    class Client(WebSocketClient):
        def received_message(self, received):
            message(str(received))

    last = time.monotonic()
    client = Client(url)
    client.connect()
    client.run_forever()
elif name == "simple-websocket":
    import simple_websocket

    blocking(simple_websocket.Client(url).receive)
elif name == "websockets":
    from websockets.sync.client import connect

    with connect(url) as connection:
        blocking(connection.recv)
elif name == "websocket-client":
    import websocket

    blocking(websocket.create_connection(url).recv)
elif name == "lomond":
    import lomond

    last = time.monotonic()
    for event in lomond.WebSocket(url):
        if event.name == "text":
            message(event.text)
elif name == "aiohttp":
    import aiohttp

    async def main():
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as connection:
            async for received in connection:
                message(received.data)

    last = time.monotonic()
    asyncio.run(main())
else:
    import picows

    class Listener(picows.WSListener):
        def on_ws_frame(self, transport, frame):
            message(frame.get_payload_as_ascii_text())

    async def main():
        await picows.ws_connect(Listener, url)
        await asyncio.sleep(8)

    last = time.monotonic()
    asyncio.run(main())
PY
cat > "$dir/client.cjs" <<'JS'
const WebSocket = require('ws')
const got = []
let last = Date.now()
new WebSocket(process.argv[2]).on('message', data => {
  got.push((Date.now() - last > 1500 ? '+ ' : '') + data)
  last = Date.now()
  if (`${data}` === 'three') {
    console.log(got.join(' '))
    process.exit()
  }
})
JS

: > "$dir/ports"
python3 "$dir/server.py" >> "$dir/ports" &
server=$!
until [ "$(wc -l < "$dir/ports")" = 2 ]; do sleep 0.1; done
mapfile -t ports < "$dir/ports"
talk() { # a client, at a port
    local url=ws://127.0.0.1:$2/
    if [ "$1" = ws ]; then
        timeout 15 node "$dir/client.cjs" "$url" || true
    else
        timeout 15 "$dir/python/bin/python" "$dir/client.py" "$1" "$url" || true
    fi
}
for name in ws4py simple-websocket websockets websocket-client aiohttp lomond picows ws; do
    talk "$name" "${ports[0]}" > "$dir/apart" &
    other=$!
    together=$(talk "$name" "${ports[1]}")
    wait "$other"
    echo "$name, apart: $(< "$dir/apart")"
    echo "$name, in one segment: $together"
done > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
ws4py, apart: one two + three
ws4py, in one segment: one + three
simple-websocket, apart: one two + three
simple-websocket, in one segment: + one two three
websockets, apart: one two + three
websockets, in one segment: one two + three
websocket-client, apart: one two + three
websocket-client, in one segment: one two + three
aiohttp, apart: one two + three
aiohttp, in one segment: one two + three
lomond, apart: one two + three
lomond, in one segment: one two + three
picows, apart: one two + three
picows, in one segment: one two + three
ws, apart: one two + three
ws, in one segment: one two + three
EXPECTED
