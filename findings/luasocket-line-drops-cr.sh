#!/usr/bin/env bash
# Software: LuaSocket 3.1.0 with Lua 5.4.4 (Debian 12), receive("*l"), the default.
# Behaviour: *every* CR of a line is dropped, wherever it stands, not only the one before the LF.
#   The count of bytes that the caller sees is therefore smaller than what came.
# A good guess is wrong: one expects that CR LF and LF end a line and that the text between is
#   kept, as in every other line reader; a progress display ("10%\r20%\r\n") or a text with a lone
#   CR is changed without an error.
# What a peer does about it: do not send a raw CR inside a line to such a reader (JSON writes it
#   as \r), and do not compare a digest of lines. In Lua read binary text by receive(count).
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

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
connection, _ = listener.accept()
connection.sendall(b"10%\r20%\rdone\r\n\r\r\nend\n")
connection.close()
PY
cat > "$dir/client.lua" <<'LUA'
local client = require("socket").connect("127.0.0.1", tonumber(arg[1]))
for _ = 1, 3 do
    local line = client:receive("*l")
    print(#line, line)
end
LUA

timeout 20 python3 "$dir/peer.py" > "$dir/port" &
until [ -s "$dir/port" ]; do sleep 0.05; done
lua5.4 "$dir/client.lua" "$(cat "$dir/port")" > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
10	10%20%done
0	
3	end
EXPECTED
