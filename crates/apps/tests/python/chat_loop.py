"""Exchange 2: strict turns, until either side says q; then the server takes the next client.

chat_loop.py join HOST PORT TEXT... | chat_loop.py serve CLIENTS ANSWER...
"""
import socket
import sys


def join(host, port, *texts):
    with socket.create_connection((host, int(port))) as client:
        for text in texts:
            client.send(text.encode())
            if text == "q":
                break
            answer = client.recv(1024).decode()
            print(answer, flush=True)
            if answer == "q":
                break
    print("left", flush=True)


def serve(clients, *answers):
    answers = iter(answers)
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        for _ in range(int(clients)):
            peer, _ = server.accept()
            with peer:
                converse(peer, answers)
            print("next", flush=True)


def converse(peer, answers):
    while True:
        text = peer.recv(1024).decode()
        print(text, flush=True)
        if text in ("q", ""):
            return
        answer = next(answers)
        peer.send(answer.encode())
        if answer == "q":
            return


{"join": join, "serve": serve}[sys.argv[1]](*sys.argv[2:])
