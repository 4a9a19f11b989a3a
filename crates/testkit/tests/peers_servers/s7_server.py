"""A server of Siemens' S7 protocol at the port of its argument."""
import sys
import threading

from snap7.server import Server

server = Server()
server.start(tcp_port=int(sys.argv[1]))
threading.Event().wait()
