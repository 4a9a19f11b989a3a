"""Exchange 6: the whole text inside one bare JSON object; closes without reading.
Arguments: PORT NAME TEXT."""
import json
import socket
import sys

port, name, text = int(sys.argv[1]), sys.argv[2], sys.argv[3]
client = socket.create_connection(("127.0.0.1", port))
client.sendall(json.dumps({"opt": "upload", "filename": name, "content": text}).encode())
client.close()
