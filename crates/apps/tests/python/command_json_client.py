"""Commands over the codec `json`: a header for the command, headers with bodies back.

Usage: command_json_client.py PORT
"""
import json
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


def send(client, header):
    client.sendall(struct.pack("i", len(header)) + header)


def answer(client):
    """The bytes of the two outputs, and how the command ended."""
    out = {"stdout": b"", "stderr": b""}
    while True:
        header = json.loads(receive(client, struct.unpack("i", receive(client, 4))[0]))
        if "stream" not in header:
            return out["stdout"], out["stderr"], header
        out[header["stream"]] += receive(client, header["size"])


def run(client, **request):
    send(client, json.dumps(request).encode())
    return answer(client)


with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=20) as client:
    assert run(client, run="echo out; echo err >&2; exit 3") == (b"out\n", b"err\n", {"exit": 3})
    assert run(client, argv=["printf", "%s|", "a b", "$(id)"]) == (b"a b|$(id)|", b"", {"exit": 0})
    assert run(client, run="kill -KILL $$") == (b"", b"", {"signal": 9})
    out, err, end = run(client, argv=["/no/such/program"])
    assert (out, err) == (b"", b"") and "/no/such/program" in end["error"], end
    # An error fits a frame, even if it quotes the request.
    assert "error" in run(client, argv=["x" * 60000])[2]
    assert "error" in run(client, run=["\x1b" * 9000])[2]
    # A malformed request is answered, and the connection goes on.
    for bad in [b"{}", b'{"run":1}', b"{nonsense}", b"no json"]:
        send(client, bad)
        assert "error" in answer(client)[2]
    assert run(client, run="echo still here") == (b"still here\n", b"", {"exit": 0})
    # Several requests at once are answered one after another.
    requests = [json.dumps({"run": f"echo {n}"}).encode() for n in range(5)]
    client.sendall(b"".join(struct.pack("i", len(r)) + r for r in requests))
    for n in range(5):
        assert answer(client) == (f"{n}\n".encode(), b"", {"exit": 0})
print("ok")
