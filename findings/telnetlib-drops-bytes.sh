#!/usr/bin/env bash
# Software: CPython's telnetlib (until 3.12, here 3.11 or PyPI standard-telnetlib 3.13.0).
# Behaviour: of what the peer sent, every NUL and every 0x11 (DC1, XON) is dropped, 0xff is a
#   command, and a NUL behind CR as well. On sending, 0xff is doubled. The text in between comes
#   unchanged.
# A good guess is wrong: telnetlib is much used as "a socket with read_until" against line
#   protocols, and one expects that only 0xff is special (RFC 854 drops NUL only behind CR, and
#   DC1 nowhere).
# What a peer does about it: send printable text to such clients; binary lengths, MessagePack or
#   UTF-16 arrive short, without an error. Clients use socket.makefile or asyncio's readuntil.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 --version
python3 -m venv "$dir/venv"
if ! "$dir/venv/bin/python" -W ignore -c 'import telnetlib' 2>/dev/null; then
    "$dir/venv/bin/pip" install -q --disable-pip-version-check standard-telnetlib==3.13.0
fi

cat > "$dir/read.py" <<'PY'
import socket
import telnetlib
import threading

sent = b"a\x00b\x11c\x13d\r\x00e\xff\xfff"
listener = socket.create_server(("127.0.0.1", 0))


def peer():
    connection, _ = listener.accept()
    connection.sendall(sent)
    connection.shutdown(socket.SHUT_WR)
    print("the peer sent", sent, "and got", connection.recv(100))
    connection.close()


thread = threading.Thread(target=peer)
thread.start()
with telnetlib.Telnet("127.0.0.1", listener.getsockname()[1]) as client:
    client.write(b"\x00\x11\xff")
    read = client.read_all()
thread.join()
print("telnetlib read", read)
PY

"$dir/venv/bin/python" -W ignore "$dir/read.py" > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
the peer sent b'a\x00b\x11c\x13d\r\x00e\xff\xfff' and got b'\x00\x11\xff\xff'
telnetlib read b'abc\x13d\re\xfff'
EXPECTED
