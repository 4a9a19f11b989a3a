"""Exchange 5: a datagram socket with an encoding.

my_socket.py ENCODING join HOST PORT TEXT | my_socket.py ENCODING serve ANSWER
"""
import socket
import sys


class MySocket(socket.socket):
    def __init__(self, encoding="utf-8"):
        super().__init__(socket.AF_INET, socket.SOCK_DGRAM)
        self.encoding = encoding

    def my_sendto(self, text, addr):
        return self.sendto(text.encode(self.encoding), addr)

    def my_recvfrom(self, size):
        text, addr = self.recvfrom(size)
        return text.decode(self.encoding), addr


def join(my, host, port, text):
    my.my_sendto(text, (host, int(port)))
    print(my.my_recvfrom(1024)[0], flush=True)


def serve(my, answer):
    my.bind(("127.0.0.1", 0))
    print(my.getsockname()[1], flush=True)
    text, addr = my.my_recvfrom(1024)
    print(text, flush=True)
    my.my_sendto(answer, addr)


sys.stdout.reconfigure(encoding="utf-8")
with MySocket(sys.argv[1]) as my:
    {"join": join, "serve": serve}[sys.argv[2]](my, *sys.argv[3:])
