"""A peer that speaks CBOR or MessagePack in frames of struct's >I: peer.py cbor|msgpack PORT."""

import json
import socket
import struct
import sys

if sys.argv[1] == "cbor":
    import cbor2

    dumps, loads = cbor2.dumps, cbor2.loads
else:
    import msgpack

    dumps, loads = msgpack.packb, msgpack.unpackb


def frame(data):
    return struct.pack(">I", len(data)) + data


with socket.create_connection(("127.0.0.1", int(sys.argv[2]))) as peer:
    stream = peer.makefile("rb")
    for _ in range(5):
        (length,) = struct.unpack(">I", stream.read(4))
        value = loads(stream.read(length))
        shown = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        peer.sendall(frame(dumps({"shown": shown})) + frame(dumps(value)))
    ping = dumps("Ping")
    peer.sendall(frame(ping + ping) + frame(ping[:-1]) + frame(dumps([1, 2])))
    peer.sendall(frame(dumps({"Text": "last"})))
    peer.shutdown(socket.SHUT_WR)
    assert stream.read() == b"", "nothing was expected"
