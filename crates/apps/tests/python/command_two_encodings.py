"""The tutorial's remote command client: asks in UTF-8, reads the answers of a Chinese Windows.

Usage: command_two_encodings.py PORT ENCODING
"""
import socket
import sys

port, encoding = int(sys.argv[1]), sys.argv[2]


def ask(client, request, expected):
    client.send(request)
    wanted = expected.encode(encoding)
    answer = b""
    while len(answer) < len(wanted):
        piece = client.recv(1024)
        assert piece, "the server closed the connection"
        answer += piece
    assert answer == wanted, (request, answer, wanted)


with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
    client.settimeout(20)
    client.connect(("127.0.0.1", port))
    ask(client, "echo 中文".encode("utf-8"), "中文\n")
    ask(client, "printf '%s|' 你好 世界; echo 错误 >&2".encode("utf-8"), "错误\n")
    # Requests in the server's encoding are understood as well.
    ask(client, "echo 中文".encode(encoding), "中文\n")
    ask(client, "echo 中文".encode("utf-8"), "中文\n")
    ask(client, b"echo plain", "plain\n")
print("ok")
