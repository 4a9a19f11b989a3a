#!/usr/bin/env bash
# Software: Tcl 8.6.13 (Debian 12), socket channels with their default -translation {auto crlf}.
# Behaviour: what is written to a socket is changed: each line feed leaves as CR LF, also one in
#   the middle of a `puts -nonewline`. What is read is changed too: CR, LF and CR LF each end a
#   line, so a text with a lone CR comes as two lines, and `read 4` gives 4 characters *after* the
#   change.
# A good guess is wrong: on Unix a Tcl file or pipe translates nothing on output, so one expects
#   the same of a socket, and a program that counts the bytes of its text announces too few.
# What a peer does about it: take CR LF as well as LF from line senders; a length before a text
#   from an unprepared Tcl program is wrong by the number of its line feeds. In Tcl say
#   `fconfigure $sock -translation binary` before anything that has a length.
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
need tcl8.6

cat > "$dir/peer.py" <<'PY'
import socket
import sys

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
for _ in range(2):
    connection, _ = listener.accept()
    connection.sendall(b"one\rtwo\r\nthree\n")
    connection.shutdown(socket.SHUT_WR)
    data = b""
    while piece := connection.recv(4096):
        data += piece
    print("the peer got", data)
PY
cat > "$dir/client.tcl" <<'TCL'
lassign $argv port translation
set sock [socket 127.0.0.1 $port]
if {$translation ne ""} {fconfigure $sock -translation $translation}
set lines {}
while {[gets $sock line] >= 0} {lappend lines [string map {\r {\r}} $line]}
puts "with [fconfigure $sock -translation]: read $lines"
set text "a\nb"
puts -nonewline $sock "[string length $text]:$text"
close $sock
TCL

timeout 20 python3 "$dir/peer.py" > "$dir/peer" &
until [ -s "$dir/peer" ]; do sleep 0.05; done
port=$(head -n 1 "$dir/peer")
{
    tclsh8.6 "$dir/client.tcl" "$port" ''
    tclsh8.6 "$dir/client.tcl" "$port" binary
    wait
    tail -n +2 "$dir/peer"
} > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
with auto crlf: read one two three
with lf lf: read {one\rtwo\r} three
the peer got b'3:a\r\nb'
the peer got b'3:a\nb'
EXPECTED
