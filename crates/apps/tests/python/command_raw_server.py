"""The tutorial's remote command server. Prints its port, then serves one client after another.

Usage: command_raw_server.py ENCODING
"""
import socket
import subprocess
import sys

encoding = sys.argv[1]

server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", 0))
server.listen(5)
print(server.getsockname()[1], flush=True)

while True:
    connection, _ = server.accept()
    with connection:
        while True:
            command = connection.recv(1024)
            if not command:
                break
            done = subprocess.run(
                command.decode(encoding),
                shell=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            text = (done.stderr or done.stdout or b"\n").decode("utf-8")
            answer = text.encode(encoding)
            # The first bytes one by one, so that a character arrives in two reads.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in answer[:8]:
                connection.send(bytes([byte]))
            connection.sendall(answer[8:])
