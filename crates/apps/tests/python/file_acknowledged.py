"""Exchange 7: a bare header, one read of anything, then the body in pieces of 1,024; closes.
Arguments: PORT PATH."""
import json
import os
import socket
import sys

port, path = int(sys.argv[1]), sys.argv[2]
client = socket.create_connection(("127.0.0.1", port))
header = {"opt": "upload", "filename": os.path.basename(path), "filesize": os.path.getsize(path)}
client.sendall(json.dumps(header).encode())
assert client.recv(1024)
with open(path, "rb") as file:
    while piece := file.read(1024):
        client.sendall(piece)
client.close()
