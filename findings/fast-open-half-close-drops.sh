#!/usr/bin/env bash
# Software: Linux 6.18, TCP Fast Open of clients (TCP_FASTOPEN_CONNECT), with Python 3.11.
# Behaviour: a client that has a cookie of the server connects at once, sends its request with its
#   first packet, and says FIN (shutdown for writing) before the server has answered. The kernel
#   throws the connection away: no FIN is ever sent, and the client gets a reset in place of the
#   answer. A client that only receives waits for ever: nothing opens the connection.
# A good guess is wrong: the option changes when bytes are sent, and not what the calls mean; connect
#   said that it is done, and the same calls without the option send the request, then the FIN.
# What a peer does about it: before a half-close, it waits until the socket is connected: a send of
#   no bytes says EAGAIN until then. Before it receives, a send of no bytes opens the connection.
set -euo pipefail
uname -sr
python3 --version

# In a network of its own, where both ends may use it.
unshare -n sh -c '
    ip link set lo up
    echo 3 > /proc/sys/net/ipv4/tcp_fastopen
    exec "$@"' sh python3 - <<'PY'
import socket

FASTOPEN_CONNECT = 30

listener = socket.socket()
listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)
listener.bind(("127.0.0.1", 0))
listener.listen(0)


def client():
    made = socket.socket()
    made.setsockopt(socket.IPPROTO_TCP, FASTOPEN_CONNECT, 1)
    made.connect(listener.getsockname())
    made.settimeout(3)
    return made


def served():
    server, _ = listener.accept()
    request = server.recv(100)
    server.sendall(b"answer")
    server.close()
    return request


def asked(late):
    filler = socket.create_connection(listener.getsockname()) if late else None
    # While a connection waits in the queue, which has room for one, the kernel answers no other.
    asking = client()
    asking.sendall(b"request")
    asking.shutdown(socket.SHUT_WR)
    if filler:
        filler.sendall(b"x")
        served()
    else:
        assert served() == b"request"
    try:
        return asking.recv(100)
    except ConnectionResetError:
        return b"a reset"


assert asked(False) == b"answer", "this one asks for a cookie"
assert asked(False) == b"answer", "this one has a cookie, and the server answers at once"
seen = asked(True)
print("a half-close before the server has answered:", seen.decode())
assert seen == b"a reset"

silent = client()
try:
    silent.recv(1)
    raise AssertionError("nobody has sent anything")
except TimeoutError:
    listener.settimeout(1)
try:
    listener.accept()
    raise AssertionError("the client has opened the connection")
except TimeoutError:
    print("a client that receives first: the server has no connection")
PY
echo "as described"
