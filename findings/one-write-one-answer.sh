#!/usr/bin/env bash
# Software: PyPI pymodbus 3.16.1 (StartAsyncTcpServer, framer "socket"), PyPI smppy 0.3.2; for
#   comparison PyPI python-snap7 3.3.0 and varlink 31.0.0, with two requests in one write as well.
# Behaviour: when two whole requests arrive in one segment, the servers of pymodbus and smppy answer
#   the first one. The second one is dropped, and never answered, not even when more bytes come.
#   pymodbus drops the beginning of a request behind a whole one too, and its rest is then no
#   request. Sent one after the other all are answered. snap7 and varlink answer both.
#   And pymodbus refuses a wrong count or function with the code 0x80, for any function.
# A good guess is wrong: both protocols number their requests so that several may be under way, and
#   TCP joins writes; one expects an answer for each. An exception of Modbus has the code of its
#   function with 0x80 added (0x83 for a read, 0xe3 for 0x63).
# What a peer does about it: send the next request after the answer to the last one, and set
#   TCP_NODELAY; keep a timeout for each request, since no error tells of the loss. Match exceptions
#   by the transaction's number.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check pymodbus==3.16.1 smppy==0.3.2 \
    python-snap7==3.3.0 varlink==31.0.0
python=$dir/venv/bin/python
"$python" --version

cat > "$dir/modbus.py" <<'PY'
import asyncio
import sys

from pymodbus.server import StartAsyncTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

unit = SimDevice(1, simdata=[SimData(0, count=200, values=7, datatype=DataType.REGISTERS)])
asyncio.run(StartAsyncTcpServer(unit, address=("127.0.0.1", int(sys.argv[1]))))
PY
cat > "$dir/texts.py" <<'PY'
import logging
import sys

from smppy.server import Application


class Texts(Application):
    async def handle_bound_client(self, client):
        return client

    async def handle_unbound_client(self, client):
        pass

    async def handle_sms_received(self, client, source_number, dest_number, text):
        pass


Texts(name="texts", logger=logging.getLogger()).run(host="127.0.0.1", port=int(sys.argv[1]))
PY
cat > "$dir/s7.py" <<'PY'
import sys
import threading

from snap7.server import Server

server = Server()
server.start(tcp_port=int(sys.argv[1]))
threading.Event().wait()
PY
cat > "$dir/link.py" <<'PY'
import os
import sys

import varlink

service = varlink.Service("a", "b", "1", "http://c.example", interface_dir=os.path.dirname(__file__))


class Handler(varlink.RequestHandler):
    service = service


with varlink.ThreadingServer("tcp:127.0.0.1:" + sys.argv[1], Handler) as server:
    server.serve_forever()
PY
cat > "$dir/ask.py" <<'PY'
import socket
import struct
import sys
import time

name, port = sys.argv[1], int(sys.argv[2])


def connect():
    until = time.monotonic() + 30
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def answers(*writes):
    """All that comes, once nothing has come for a second. There is a second between writes too."""
    out = b""
    with connect() as connection:
        connection.settimeout(1)
        for write in writes:
            connection.sendall(write)
            try:
                while part := connection.recv(65536):
                    out += part
            except TimeoutError:
                pass
    return out


def modbus(transaction, code=3, count=1):
    return struct.pack(">HHHBBHH", transaction, 0, 6, 1, code, 0, count)


def smpp(command, number, body=b""):
    return struct.pack(">IIII", 16 + len(body), command, 0, number) + body


def tell(what, *writes):
    out = answers(*writes)
    if name == "pymodbus":
        seen = []
        while out:
            length = struct.unpack(">H", out[4:6])[0]
            seen.append(out[1] if out[7] == 3 else f"{out[1]} with {out[7]:#x}")
            out = out[6 + length :]
    elif name == "smppy":
        seen = []
        while out:
            length, command, _, number = struct.unpack(">IIII", out[:16])
            seen.append(number)
            out = out[length:]
    elif name == "snap7":
        seen = [out.count(b"\x11\xd0") + out.count(b"\x02\xf0\x80")]
    else:
        seen = [out.count(b"\0")]
    print(f"{name}, {what}:", *seen)


if name == "pymodbus":
    one, two, three = map(modbus, (1, 2, 3))
    tell("one by one", one, two, three)
    tell("two, and later a third", one + two, three)
    tell("one and a half, and the rest", one + two[:6], two[6:])
    tell("a wrong count", modbus(1, count=126))
    tell("a wrong function", modbus(1, code=0x63))
elif name == "smppy":
    bind = smpp(9, 1, b"user\0word\0\0\x34\0\0\0")
    text = b"\0\1\1a\0\1\1b\0\0\0\0\0\0\0\0\0\0\5hello"
    tell("one by one", bind, smpp(4, 2, text), smpp(4, 3, text), smpp(0x15, 4))
    tell("two, and later a third", bind, smpp(4, 2, text) + smpp(4, 3, text), smpp(0x15, 4))
elif name == "snap7":
    first = b"\x03\0\0\x16\x11\xe0\0\0\0\1\0\xc0\1\x0a\xc1\2\1\0\xc2\2\1\2"
    second = b"\x03\0\0\x19\x02\xf0\x80\x32\1\0\0\4\0\0\x08\0\0\xf0\0\0\1\0\1\1\xe0"
    tell("answers to two", first + second)
else:
    call = b'{"method": "org.varlink.service.GetInfo"}\0'
    tell("answers to two", call + call)
PY

for server in pymodbus:modbus.py smppy:texts.py snap7:s7.py varlink:link.py; do
    port=$(python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
    "$python" "$dir/${server#*:}" "$port" > "$dir/log" 2>&1 &
    timeout 60 "$python" "$dir/ask.py" "${server%%:*}" "$port" | tee -a "$dir/seen"
done

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
pymodbus, one by one: 1 2 3
pymodbus, two, and later a third: 1 3
pymodbus, one and a half, and the rest: 1
pymodbus, a wrong count: 1 with 0x80
pymodbus, a wrong function: 1 with 0x80
smppy, one by one: 1 2 3 4
smppy, two, and later a third: 1 2 4
snap7, answers to two: 2
varlink, answers to two: 2
EXPECTED
