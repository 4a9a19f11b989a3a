"""Commands over the codec `struct`: a command line in one frame, tagged frames back.

Usage: command_struct_client.py PORT
"""
import socket
import struct
import sys


def receive(client, size):
    data = b""
    while len(data) < size:
        piece = client.recv(size - len(data))
        assert piece, "the server closed the connection"
        data += piece
    return data


def run(client, command):
    """Runs `command`; returns the bytes of its two outputs, and how it ended."""
    request = command.encode()
    client.sendall(struct.pack("i", len(request)) + request)
    out = {b"1": b"", b"2": b""}
    while True:
        frame = receive(client, struct.unpack("i", receive(client, 4))[0])
        tag, rest = frame[:1], frame[1:]
        if tag == b"0":
            return out[b"1"], out[b"2"], rest.decode()
        out[tag] += rest


with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=20) as client:
    assert run(client, "echo out; echo err >&2; exit 3") == (b"out\n", b"err\n", "exit 3")
    assert run(client, "true") == (b"", b"", "exit 0")
    assert run(client, "kill -TERM $$") == (b"", b"", "signal 15")
    out, err, end = run(client, "head -c 1000000 /dev/zero")
    assert (len(out), err, end) == (1000000, b"", "exit 0")
print("ok")
