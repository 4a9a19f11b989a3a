"""Exchanges 3 and 4: a datagram is a message, signed NAME : TEXT if there is a name.
An answer goes to the sender.

datagrams.py join HOST PORT NAME TEXT... | datagrams.py serve NAME ANSWER...
An empty NAME does not sign.
"""
import socket
import sys


def signed(name, text):
    return (f"{name} : {text}" if name else text).encode()


def join(host, port, name, *texts):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for text in texts:
            client.sendto(signed(name, text), (host, int(port)))
            answer, _ = client.recvfrom(1024)
            print(answer.decode(), flush=True)


def serve(name, *answers):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        print(server.getsockname()[1], flush=True)
        for answer in answers:
            text, peer = server.recvfrom(1024)
            print(text.decode(), flush=True)
            server.sendto(signed(name, answer), peer)


{"join": join, "serve": serve}[sys.argv[1]](*sys.argv[2:])
