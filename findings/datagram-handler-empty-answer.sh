#!/usr/bin/env bash
# Software: CPython 3.11.7, socketserver.DatagramRequestHandler.
# Behaviour: the handler answers *every* datagram. When its handle() wrote nothing, an empty
#   datagram goes back to the sender; when it wrote twice, both texts go back as one datagram.
# A good guess is wrong: StreamRequestHandler, its sibling, sends nothing when nothing is written,
#   so one expects silence from a handler that only takes notes; and two writes as two datagrams.
# What a peer does about it: a client must pass over empty datagrams before the answer that it
#   waits for, and a peer that itself answers each datagram must not answer an empty one, or the
#   two go on for ever. In a handler that must be silent, use BaseRequestHandler.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 --version

cat > "$dir/answers.py" <<'PY'
import socket
import socketserver
import threading


class Handler(socketserver.DatagramRequestHandler):
    def handle(self):
        if self.packet == b"twice":
            self.wfile.write(b"one")
            self.wfile.write(b"two")


with socketserver.UDPServer(("127.0.0.1", 0), Handler) as server:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(1)
    client.connect(server.server_address)
    for request in (b"a note", b"twice"):
        client.send(request)
        answers = []
        try:
            while True:
                answers.append(client.recv(100))
        except TimeoutError:
            print(f"{request}: {answers}")
    server.shutdown()
PY

python3 "$dir/answers.py" > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
b'a note': [b'']
b'twice': [b'onetwo']
EXPECTED
