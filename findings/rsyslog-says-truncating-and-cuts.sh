#!/usr/bin/env bash
# Software: rsyslog 8.2302.0 (Debian), input imtcp, with its defaults, which rsyslog.conf names in
#   full: maxMessageSize 8k (8,096 bytes), oversizemsg.input.mode "truncate".
# Behaviour: of a message above 8,096 bytes the log says "truncating". But the rest is delivered, as
#   further messages of 8,096 bytes, which get a priority, a host and a time of the receiver's, and
#   at each cut one byte is lost. It is so for messages with a count (RFC 6587, 3.4.1) and for lines.
#   And one LF or NUL at the end of a counted message is dropped, a second one is kept (as #012).
# A good guess is wrong: one expects one message of 8,096 bytes, as the log and the option say, or
#   pieces that make the message again; and that a counted message arrives with all of its bytes.
# What a peer does about it: send at most 8,096 bytes with the header, or raise maxMessageSize at the
#   receiver. Do not join the pieces: bytes are missing. Let no binary text end in LF or NUL.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$dir"' EXIT
# Unpacked, and not installed: the package would remove another syslog daemon.
apt-get update -qq
(cd "$dir" && apt-get download -qq rsyslog libestr0 libfastjson4 2>/dev/null)
for package in "$dir"/*.deb; do dpkg-deb -x "$package" "$dir"; done
export LD_LIBRARY_PATH=$dir/usr/lib/x86_64-linux-gnu
"$dir/usr/sbin/rsyslogd" -v | head -n 1

port=$(python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
cat > "$dir/config" <<CONFIG
global(workDirectory="$dir")
module(load="imtcp")
template(name="parts" type="string" string="%pri% %rawmsg%\n")
input(type="imtcp" address="127.0.0.1" port="$port" ruleset="all")
ruleset(name="all") { action(type="omfile" file="$dir/messages" template="parts") }
CONFIG
"$dir/usr/sbin/rsyslogd" -n -f "$dir/config" -i "$dir/pid" -M "$LD_LIBRARY_PATH/rsyslog" \
    > "$dir/log" 2>&1 &

cat > "$dir/send.py" <<'PY'
import socket
import sys
import time

port, directory = int(sys.argv[1]), sys.argv[2]
head = b"<14>1 2026-11-28T10:00:00Z host app - - - "
letters = b"abcdefghijklmnopqrstuvwxyz" * 769


def counted(text):
    return b"%d %s" % (len(head + text), head + text)


def connect():
    for _ in range(200):
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise SystemExit("rsyslog does not listen")


def messages():
    try:
        with open(directory + "/messages", "rb") as lines:
            return lines.read().splitlines()
    except FileNotFoundError:
        return []


def arrive(stream):
    """The priorities and texts of the messages in stream."""
    before = len(messages())
    with connect() as connection:
        connection.sendall(stream + counted(b"last"))
    while True:
        lines = messages()[before:]
        if lines and lines[-1].endswith(b"- last"):
            return [line.decode().partition(" ")[::2] for line in lines[:-1]]
        time.sleep(0.05)


def pieces(name, stream):
    whole, at, seen = (head + letters).decode(), 0, []
    for priority, text in arrive(stream):
        place = whole.index(text, at)
        seen.append(f"{len(text)} (priority {priority}, {place - at} lost before)")
        at = place + len(text)
    print(f"{name} of {len(whole)} bytes comes as", ", ".join(seen))


pieces("a counted message", counted(letters))
pieces("a line", head + letters + b"\n")
for end in (b"\n", b"\n\n", b"\0", b"\0\0"):
    ((_, text),) = arrive(counted(b"text" + end))
    print(b"text" + end, "comes as", text[text.index("text") :])
PY
timeout 60 python3 "$dir/send.py" "$port" "$dir" > "$dir/seen"
grep -o 'size is.*' "$dir/log" | head -n 1 >> "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
a counted message of 20036 bytes comes as 8096 (priority 14, 0 lost before), 8096 (priority 13, 1 lost before), 3842 (priority 13, 1 lost before)
a line of 20036 bytes comes as 8096 (priority 14, 0 lost before), 8096 (priority 13, 1 lost before), 3842 (priority 13, 1 lost before)
b'text\n' comes as text
b'text\n\n' comes as text#012
b'text\x00' comes as text
b'text\x00\x00' comes as text#000
size is 20036 bytes, max msg size is 8096, truncating... [v8.2302.0]
EXPECTED
