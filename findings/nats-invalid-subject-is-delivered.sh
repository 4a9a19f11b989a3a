#!/usr/bin/env bash
# Software: nats-server 2.9.10 (Debian 12), with a client that says nothing of "pedantic" (it is on
#   by default).
# Behaviour: a PUB to a subject with a wildcard, as `orders.*`, is answered by -ERR 'Invalid Publish
#   Subject', the connection goes on, and the message *is* delivered, to all who subscribed to
#   `orders.*`, `orders.>` and the like. One to `orders..new` has the same error and is delivered
#   to nobody. A line feed alone ends a command, but behind a payload it ends the connection.
# A good guess is wrong: an -ERR for a PUB is expected to mean that the message was refused, and a
#   publisher that sends it again by another way then sends it twice.
# What a peer does about it: check a subject before it is published (no `*` or `>` as a token, no
#   empty token). A subscriber looks at the subject of the message, which may hold a wildcard. End
#   all lines by CR LF.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$dir"' EXIT

need() { # installs a Debian package unless it is there, and prints its version
    local state
    state=$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null || true)
    if [ "$state" != installed ]; then
        apt-get update -q >/dev/null
        apt-get install -y -q "$1" >/dev/null 2>&1
    fi
    dpkg-query -W "$1"
}
need nats-server

timeout 60 nats-server --addr 127.0.0.1 --port -1 --log "$dir/log" &
until grep -q 'Server is ready' "$dir/log" 2>/dev/null; do sleep 0.05; done
port=$(sed -n 's/.*client connections on 127.0.0.1:\([0-9]*\).*/\1/p' "$dir/log")

cat > "$dir/client.py" <<'PY'
import socket
import sys


def client(*commands, ending=b"\r\n"):
    peer = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 10)
    lines = peer.makefile("rwb")
    lines.readline()
    for command in ('CONNECT {"verbose":false}', *commands):
        lines.write(command.encode() + ending)
    lines.flush()
    return lines


def until_pong(lines):
    said = []
    for line in lines:
        if line == b"PONG\r\n":
            return said
        said.append(line.decode().strip())
    return said + ["the end"]


subjects = ("orders.>", "orders.*", "orders.new", ">")
subscribers = {subject: client(f"SUB {subject} 1", "PING") for subject in subjects}
for lines in subscribers.values():
    until_pong(lines)
print("publisher:", until_pong(client("PUB orders.* 3", "abc", "PUB orders..new 3", "def", "PING")))
for subject, lines in subscribers.items():
    lines.write(b"PING\r\n")
    lines.flush()
    print(f"subscriber to {subject}:", until_pong(lines))
print("LF behind commands:", until_pong(client("SUB a 1", "PING", ending=b"\n")))
print("LF behind a payload:", until_pong(client("PUB a 3", "abc", "PING", ending=b"\n")))
PY
timeout 60 python3 "$dir/client.py" "$port" > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
publisher: ["-ERR 'Invalid Publish Subject'", "-ERR 'Invalid Publish Subject'"]
subscriber to orders.>: ['MSG orders.* 1 3', 'abc']
subscriber to orders.*: ['MSG orders.* 1 3', 'abc']
subscriber to orders.new: []
subscriber to >: ['MSG orders.* 1 3', 'abc']
LF behind commands: []
LF behind a payload: ["-ERR 'Unknown Protocol Operation'", 'the end']
EXPECTED
