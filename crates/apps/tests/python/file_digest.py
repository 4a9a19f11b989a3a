"""Exchange 9: other names for the keys, a path for a name, and an MD5.
Arguments: PORT PATH MD5; prints the answer."""
import json
import os
import socket
import struct
import sys

port, path, digest = int(sys.argv[1]), sys.argv[2], sys.argv[3]
client = socket.create_connection(("127.0.0.1", port))
header = {"opt": "upload", "file_size": os.path.getsize(path), "file_name": path, "md5": digest}
header = json.dumps(header).encode()
with open(path, "rb") as file:
    client.sendall(struct.pack("i", len(header)) + header + file.read())
length = struct.unpack("i", client.recv(4, socket.MSG_WAITALL))[0]
print(client.recv(length, socket.MSG_WAITALL).decode())
