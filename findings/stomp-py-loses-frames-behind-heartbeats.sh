#!/usr/bin/env bash
# Software: PyPI stomp-py 9.0.0 (stomp.py), npm stomp-client 0.9.0; for comparison npm stompit
#   1.0.0 (Node.js 20.20.2).
# Behaviour: where a read begins with two line feeds and then a frame, stomp.py drops that frame,
#   without an error and without a word in the log. One line feed does no harm. stomp-client
#   refuses a server whose CONNECTED has no `session` header.
# A good guess is wrong: STOMP 1.2 allows any number of ends of line between frames, heart-beats
#   are nothing else, and `session` MAY be set. Two heart-beats, or one and the line feed that
#   some servers write behind each frame, come in one read with a message as soon as the reader is
#   slow.
# What a peer does about it: a server writes nothing behind NUL, sends a heart-beat only where
#   nothing was sent for a while, and sets `session`. With stomp.py subscribe with ack="client",
#   so that a lost message comes again.
set -euo pipefail
dir=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait; fi; rm -rf "$dir"' EXIT
python3 --version
node --version
python3 -m venv "$dir/python"
"$dir/python/bin/pip" install -q --disable-pip-version-check stomp-py==9.0.0
npm install --silent --no-audit --no-fund --prefix "$dir" stomp-client@0.9.0 stompit@1.0.0

# Three messages, each in a segment with what stands before it: a port for each case.
cat > "$dir/server.py" <<'PY'
import socket
import threading
import time


def message(body):
    head = b"MESSAGE\nsubscription:1\nmessage-id:%b\ndestination:/queue/q\n" % body
    return head + b"content-length:%d\n\n" % len(body) + body + b"\0"


def serve(connection, before, session):
    with connection:
        heard = b""
        while b"\0" not in heard:
            heard += connection.recv(4096)
        connection.sendall(b"CONNECTED\nversion:1.1\nheart-beat:0,0\n" + session + b"\n\0")
        while b"SUBSCRIBE" not in heard:
            heard += connection.recv(4096)
        time.sleep(0.5)
        for body in (b"one", b"two", b"three"):
            connection.sendall(before + message(body))
            time.sleep(0.3)
        time.sleep(6)


def accept(listener, *arguments):
    while True:
        connection = listener.accept()[0]
        threading.Thread(target=serve, args=(connection, *arguments), daemon=True).start()


for before, session in (
    (b"", b"session:1\n"), (b"\n", b"session:1\n"), (b"\n\n", b"session:1\n"), (b"", b""),
):
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=accept, args=(listener, before, session), daemon=True).start()
    print(listener.getsockname()[1], flush=True)
threading.Event().wait()
PY
cat > "$dir/listen.py" <<'PY'
import os
import sys
import time

import stomp

bodies = []


class Listener(stomp.ConnectionListener):
    def on_message(self, frame):
        bodies.append(frame.body)


connection = stomp.Connection11([("127.0.0.1", int(sys.argv[1]))])
connection.set_listener("", Listener())
connection.connect(wait=True)
connection.subscribe("/queue/q", "1")
time.sleep(3.5)
print(" ".join(bodies), flush=True)
os._exit(0)
PY
cat > "$dir/listen.cjs" <<'JS'
const [name, port] = [process.argv[2], Number(process.argv[3])]
const bodies = []
setTimeout(() => { console.log(bodies.join(' ')); process.exit() }, 4000)
if (name === 'stompit') {
  const options = { host: '127.0.0.1', port, connectHeaders: { host: '/', 'heart-beat': '0,0' } }
  require('stompit').connect(options, (_, client) => {
    client.on('error', () => {})
    client.subscribe({ destination: '/queue/q', ack: 'auto' }, (error, message) => {
      if (!error) message.readString('utf-8', (_, body) => bodies.push(body))
    })
  })
} else {
  const Client = require('stomp-client')
  const client = new Client('127.0.0.1', port, 'user', 'secret', '1.1')
  client.on('error', error => bodies.push(error.message))
  client.connect(() => client.subscribe('/queue/q', body => bodies.push(body)))
}
JS
: > "$dir/ports"
python3 "$dir/server.py" >> "$dir/ports" &
server=$!
until [ "$(wc -l < "$dir/ports")" = 4 ]; do sleep 0.1; done
mapfile -t ports < "$dir/ports"
cases=('nothing before' 'LF before' 'LF LF before' 'no session')
for i in "${!cases[@]}"; do
    jobs=()
    for name in stomp.py stompit stomp-client; do
        if [ "$name" = stomp.py ]; then
            command=("$dir/python/bin/python" "$dir/listen.py" "${ports[i]}")
        else
            command=(node --no-deprecation "$dir/listen.cjs" "$name" "${ports[i]}")
        fi
        timeout 15 "${command[@]}" > "$dir/got.$name" &
        jobs+=($!)
    done
    wait "${jobs[@]}" || true
    for name in stomp.py stompit stomp-client; do
        echo "$name, ${cases[i]}: $(< "$dir/got.$name")"
    done
done > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
stomp.py, nothing before: one two three
stompit, nothing before: one two three
stomp-client, nothing before: one two three
stomp.py, LF before: one two three
stompit, LF before: one two three
stomp-client, LF before: one two three
stomp.py, LF LF before: 
stompit, LF LF before: one two three
stomp-client, LF LF before: one two three
stomp.py, no session: one two three
stompit, no session: one two three
stomp-client, no session: Header "session" is required for CONNECTED
EXPECTED
