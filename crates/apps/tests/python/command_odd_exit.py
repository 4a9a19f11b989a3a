"""A command server that speaks `json` and ends each command as its argument says. Prints its port.

Usage: command_odd_exit.py END
"""
import socket
import struct
import sys

end = sys.argv[1].encode()
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
while True:
    connection, _ = server.accept()
    with connection:
        connection.recv(1024)
        connection.sendall(struct.pack("i", len(end)) + end)
        connection.recv(1024)
