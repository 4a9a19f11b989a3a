#!/usr/bin/env bash
# Software: gawk 5.2.1 (Debian 12), /inet/tcp with RS as a pattern.
# Behaviour: with RS="\r?\n" gawk gives a line out only when the byte *behind* it has come: each
#   answer waits for the next one or for the end. With RS="\n" and RS="\r\n" it comes at once.
# A good guess is wrong: this pattern is what one writes to take LF as well as CR LF, and it
#   cannot match any further behind the LF; but gawk holds back a match that touches the end of
#   what it has read.
# What a peer does about it: in a dialogue (request, answer, request) such a client never goes on.
#   A server that suspects one may send a line more, such as an empty one. gawk programs use
#   RS="\n" and remove the CR by sub(/\r$/, "").
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
need gawk

cat > "$dir/peer.py" <<'PY'
import socket

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
for _ in range(3):
    connection, _ = listener.accept()
    connection.settimeout(2)
    connection.sendall(b"answer\r\n")
    try:
        print("at once" if connection.recv(100) else "ended", flush=True)
    except TimeoutError:
        connection.sendall(b"one more line\r\n")
        connection.settimeout(20)
        connection.recv(100)
        print("only when the next line came", flush=True)
    connection.close()
PY
timeout 60 python3 "$dir/peer.py" > "$dir/peer" &
until [ -s "$dir/peer" ]; do sleep 0.05; done

for separator in '\n' '\r\n' '\r?\n'; do
    gawk -v RS="$separator" -v port="$(head -n 1 "$dir/peer")" 'BEGIN {
        peer = "/inet/tcp/0/127.0.0.1/" port
        peer |& getline line
        printf "next request\n" |& peer
        fflush(peer)
        close(peer)
    }'
    echo "RS=\"$separator\"" >> "$dir/names"
done
wait
tail -n +2 "$dir/peer" | paste -d ' ' "$dir/names" - > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
RS="\n" at once
RS="\r\n" at once
RS="\r?\n" only when the next line came
EXPECTED
