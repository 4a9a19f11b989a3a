"""A server that accepts, reads and never answers. Prints its port.

Usage: silent_server.py
"""
import socket

server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
connections = []
while True:
    connections.append(server.accept()[0])
