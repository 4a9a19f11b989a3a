"""Exchange 1: the client connects and sends one text; the server reads it, answers and closes.

one_shot.py join HOST PORT TEXT | one_shot.py serve ANSWER
"""
import socket
import sys


def join(host, port, text):
    with socket.create_connection((host, int(port))) as client:
        client.sendall(text.encode())
        print(client.recv(1024).decode(), flush=True)


def serve(answer):
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        peer, _ = server.accept()
        with peer:
            print(peer.recv(1024).decode(), flush=True)
            peer.sendall(answer.encode())


{"join": join, "serve": serve}[sys.argv[1]](*sys.argv[2:])
