"""Exchange 8: length, header and body at once; closes without reading anything.
Arguments: PORT PATH."""
import json
import os
import socket
import struct
import sys

port, path = int(sys.argv[1]), sys.argv[2]
client = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
client.connect(("127.0.0.1", port))
header = {"opt": "upload", "filename": os.path.basename(path), "filesize": os.path.getsize(path)}
header = json.dumps(header).encode()
client.sendall(struct.pack("i", len(header)))
client.sendall(header)
with open(path, "rb") as file:
    client.sendall(file.read())
client.close()
