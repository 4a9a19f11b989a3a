"""The other side of exchange 8: takes one file, and answers nothing. Prints its port.
Arguments: PATH."""
import json
import socket
import struct
import sys

server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
client, _ = server.accept()
length = struct.unpack("i", client.recv(4, socket.MSG_WAITALL))[0]
header = json.loads(client.recv(length, socket.MSG_WAITALL))
left = header["filesize"]
with open(sys.argv[1], "wb") as file:
    while left:
        piece = client.recv(min(left, 65536))
        if not piece:
            break
        file.write(piece)
        left -= len(piece)
client.close()
