#!/usr/bin/env bash
# Software: Linux 6.18, Multipath TCP (protocol 262), with Python 3.11.
# Behaviour: a server over MPTCP reads all that came and closes. Its client sends more. Over TCP the
#   second send fails at once, since a reset answers the first. Over MPTCP the client's sends are
#   taken until the buffers are full, and the first error comes after 60 seconds. No sysctl
#   changes that. (If the server closes with unread bytes, a reset comes at once over both.)
# A good guess is wrong: MPTCP is TCP for programs, and a send to a socket that nobody has any more
#   is answered with a reset.
# What a peer does about it: a sender also receives, since the end of the other direction comes at
#   once, and takes it for the end of its own where the protocol has no half-close.
set -euo pipefail
uname -sr
python3 --version
python3 - <<'PY'
import socket
import time


def told_after(protocol):
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    client = socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol)
    client.connect(listener.getsockname())
    server, _ = listener.accept()
    server.close()
    client.settimeout(100)
    assert client.recv(1) == b"", "the end comes at once"
    start = time.monotonic()
    taken = 0
    while True:
        try:
            taken += client.send(bytes(65536))
        except (BrokenPipeError, ConnectionResetError) as error:
            seconds = time.monotonic() - start
            print(f"protocol {protocol}: {error!r} after {seconds:.1f} s, {taken} bytes taken")
            return seconds


assert told_after(socket.IPPROTO_TCP) < 1
assert told_after(262) > 30
PY
echo "as described"
