"""Answers each message with its bytes in reverse order, by CPython's multiprocessing.connection:
multiprocessing_peer.py MAXIMUM|none AUTHKEY|none listen | connect PORT
Sends messages and compares their answers: multiprocessing_peer.py none AUTHKEY ask connect PORT"""

import sys
from multiprocessing.connection import Client, Listener

most = None if sys.argv[1] == "none" else int(sys.argv[1])
authkey = None if sys.argv[2] == "none" else sys.argv[2].encode()
if sys.argv[3] == "listen":
    listener = Listener(("127.0.0.1", 0), authkey=authkey)
    print(listener.address[1], flush=True)
    peer = listener.accept()
else:
    peer = Client(("127.0.0.1", int(sys.argv[-1])), authkey=authkey)

if sys.argv[3] == "ask":
    for length in (0, 1, 16384, 16385, 100000):
        message = bytes(index % 251 for index in range(length))
        peer.send_bytes(message)
        assert peer.recv_bytes() == message[::-1], length
    # A pickle is a frame as well; the other side answers it in reverse order.
    peer.send({"a": [1, None]})
    print(peer.recv_bytes()[:1])
    sys.exit()
try:
    while True:
        peer.send_bytes(peer.recv_bytes(most)[::-1])
except EOFError:
    print("closed")
except OSError as error:
    print(error)
