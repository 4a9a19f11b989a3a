"""Exchanges 11 and 12: sends each text and prints the answer of one read as JSON.
`get` is read to the end.
Arguments: PORT TEXT..."""
import json
import socket
import sys

port, texts = int(sys.argv[1]), sys.argv[2:]
client = socket.create_connection(("127.0.0.1", port))
for text in texts:
    client.send(text.encode("utf-8"))
    answer = client.recv(65536)
    if text.startswith("get "):
        while more := client.recv(65536):
            answer += more
    print(json.dumps(answer.decode("utf-8")))
client.close()
