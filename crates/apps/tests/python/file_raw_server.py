"""The other side of exchanges 11 and 12, for any number of clients, one after another.
Prints its port.
Arguments: DIR."""
import os
import socket
import sys

root = sys.argv[1]
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)


def listing(place):
    return ("--".join(sorted(os.listdir(place))) or "\n").encode()


def serve(client):
    place = root
    while text := client.recv(1024).decode():
        if text.startswith("get "):
            with open(os.path.join(place, text[4:]), "rb") as file:
                client.sendall(file.read())
            return
        if text.startswith("/"):
            target = root + text
        elif text == "..":
            target = os.path.dirname(place)
        else:
            target = os.path.join(place, text[3:])
        if os.path.isdir(target):
            place = target
            client.sendall(listing(place))
        else:
            client.sendall(b"no directory")


while True:
    client, _ = server.accept()
    with client:
        serve(client)
