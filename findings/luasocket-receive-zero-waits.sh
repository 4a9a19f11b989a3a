#!/usr/bin/env bash
# Software: LuaSocket 3.1.0 with Lua 5.4.4 (Debian 12), receive(0) of a TCP socket.
# Behaviour: receive(0) does not return before at least one more byte has come (which it leaves).
#   If the peer waits for an answer, it ends in "timeout", without a timeout never; if the peer has
#   closed, it is "closed".
# A good guess is wrong: one expects "" at once, as from read(0) elsewhere. So the usual reader of
#   a frame, receive(4) for the length and receive(length) for the payload, hangs at an empty
#   frame, and gives its message only with the next one.
# What a peer does about it: do not send an empty frame to such a reader and then wait (an empty
#   answer, a ping). In Lua do not call receive where the length is 0.
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
need lua5.4
need lua-socket

cat > "$dir/peer.py" <<'PY'
import socket

with socket.create_server(("127.0.0.1", 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    connection, _ = listener.accept()
    with connection:
        # An empty frame. The next one follows only when the other side says that it has this one.
        connection.sendall(b"\0\0\0\0")
        connection.recv(1)
        connection.sendall(b"\0\0\0\3abc")
        connection.recv(1)
PY
cat > "$dir/client.lua" <<'LUA'
local client = require("socket").connect("127.0.0.1", tonumber(arg[1]))
client:settimeout(2)
local function show(what, got, reason)
    print(what, got and ("%q"):format(got) or reason)
end
local length = string.unpack(">I4", client:receive(4))
show("length " .. length, client:receive(length))
client:send("!")
show("the same, later", client:receive(length))
length = string.unpack(">I4", client:receive(4))
show("length " .. length, client:receive(length))
client:send("!")
show("behind the end", client:receive(0))
LUA

timeout 30 python3 "$dir/peer.py" > "$dir/port" &
until [ -s "$dir/port" ]; do sleep 0.05; done
timeout 30 lua5.4 "$dir/client.lua" "$(cat "$dir/port")" > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
length 0	timeout
the same, later	""
length 3	"abc"
behind the end	closed
EXPECTED
