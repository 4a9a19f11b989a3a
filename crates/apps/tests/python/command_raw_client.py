"""The tutorial's remote command client: commands over one connection, in the server's encoding.

Usage: command_raw_client.py PORT ENCODING
"""
import socket
import sys

port, encoding = int(sys.argv[1]), sys.argv[2]


def ask(client, command, size):
    """Sends one command and reads an answer of `size` bytes."""
    client.send(command.encode(encoding))
    answer = b""
    while len(answer) < size:
        piece = client.recv(1024)
        assert piece, "the server closed the connection"
        answer += piece
    return answer


def check(client, command, expected):
    wanted = expected.encode(encoding)
    answer = ask(client, command, len(wanted))
    assert answer == wanted, (command, answer, wanted)


with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
    client.settimeout(20)
    client.connect(("127.0.0.1", port))
    check(client, "echo hello", "hello\n")
    check(client, "printf '%s' 你好，世界", "你好，世界")
    check(client, "true", "\n")
    check(client, "false\n", "\n")
    check(client, "echo seen; echo 错误 >&2", "错误\n")
    check(client, "seq 1 20000", "".join(f"{n}\n" for n in range(1, 20001)))
    check(client, "exit 7", "\n")
    check(client, "cat", "\n")
print("ok")
