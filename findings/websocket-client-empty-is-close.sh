#!/usr/bin/env bash
# Software: PyPI websocket-client 1.9.2 (against websockets 17.4).
# Behaviour: recv() gives '' for the peer's close frame, without an exception, and '' for an empty
#   text message too. The code and the reason of the close are not to be had from recv(). A loop
#   over the connection (`for message in ws`) yields that '' as a last message, and then raises.
# A good guess is wrong: the other clients raise at the close, or end the loop; so one reads '' as
#   an empty message, or takes an empty message for the end.
# What a peer does about it: do not send empty messages to such clients, and say the end in a
#   message of your own. A client calls recv_data(control_frame=True) and looks at the opcode (8
#   is close).
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 --version
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check websocket-client==1.9.2 websockets==17.4

cat > "$dir/client.py" <<'PY'
import asyncio

import websocket
import websockets


async def speak(connection):
    for message in ("a", "", "b"):
        await connection.send(message)
    await connection.close(1001, "going away")


def client(port):
    url = f"ws://127.0.0.1:{port}"
    connection = websocket.create_connection(url)
    print("recv:", [connection.recv() for _ in range(4)])
    connection = websocket.create_connection(url)
    seen = []
    try:
        for message in connection:
            seen.append(message)
    except websocket.WebSocketConnectionClosedException as error:
        print("loop:", seen, "then", type(error).__name__)
    connection = websocket.create_connection(url)
    print("recv_data:", [connection.recv_data(control_frame=True) for _ in range(4)])


async def main():
    async with websockets.serve(speak, "127.0.0.1", 0) as server:
        await asyncio.to_thread(client, server.sockets[0].getsockname()[1])


asyncio.run(main())
PY

timeout 60 "$dir/venv/bin/python" "$dir/client.py" > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
recv: ['a', '', 'b', '']
loop: ['a', '', 'b', ''] then WebSocketConnectionClosedException
recv_data: [(1, b'a'), (1, b''), (1, b'b'), (8, b'\x03\xe9going away')]
EXPECTED
