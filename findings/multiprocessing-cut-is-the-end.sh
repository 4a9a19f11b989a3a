#!/usr/bin/env bash
# Software: CPython 3.11.7 multiprocessing.connection (Listener and Client on sockets, Pipe).
# Behaviour: a message that is cut just behind its length is EOFError, as an end in order is. A cut
#   one byte later, or within the length, is OSError. A sender that dies between two writes makes
#   such a cut: from 16,385 bytes on Connection writes the length by itself. And poll() and wait()
#   are true as soon as one byte of the length has come; recv_bytes() then blocks until all of the
#   message is there.
# A good guess is wrong: a length tells a cut from an end, and the code does tell them apart at each
#   other byte. After a true poll() one expects a receive that does not block.
# What a peer does about it: say the end in a message of its own, since EOFError may be a lost
#   message. A loop around wait() stands still for all its connections at one peer that is slow:
#   give each connection a thread.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 --version

cat > "$dir/cut.py" <<'PY'
import socket
import struct
import threading
from multiprocessing.connection import Listener, wait

FRAME = struct.pack("!i", 20000) + bytes(20000)


def connected(listener):
    raw = socket.create_connection(listener.address)
    return raw, listener.accept()


with Listener(("127.0.0.1", 0)) as listener:
    for cut in (0, 3, 4, 5, 10000):
        raw, connection = connected(listener)
        raw.sendall(FRAME[:cut])
        raw.close()
        try:
            connection.recv_bytes()
        except (EOFError, OSError) as error:
            print(f"cut behind {cut} bytes: {error!r}")

    raw, connection = connected(listener)
    raw.sendall(FRAME[:1])
    print("one byte, poll:", connection.poll(5), "wait:", wait([connection], 5) == [connection])
    receiving = threading.Thread(target=connection.recv_bytes)
    receiving.start()
    receiving.join(1)
    print("one byte, still receiving after a second:", receiving.is_alive())
    raw.sendall(FRAME[1:])
    receiving.join(10)
    print("all, still receiving:", receiving.is_alive())
PY
timeout 60 python3 "$dir/cut.py" > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
cut behind 0 bytes: EOFError()
cut behind 3 bytes: OSError('got end of file during message')
cut behind 4 bytes: EOFError()
cut behind 5 bytes: OSError('got end of file during message')
cut behind 10000 bytes: OSError('got end of file during message')
one byte, poll: True wait: True
one byte, still receiving after a second: True
all, still receiving: False
EXPECTED
