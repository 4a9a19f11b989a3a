"""Answers each message with its bytes in reverse order, by a receiver of twisted.protocols.basic:
twisted_peer.py RECEIVER listen | connect PORT. It then prints how the connection ended."""

import sys

from twisted.internet import endpoints, protocol, reactor
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.protocols import basic
from zope.interface import implementer

Receiver = getattr(basic, sys.argv[1])


@implementer(IHalfCloseableProtocol)
class Mirror(Receiver):
    ending = "closed"

    def connectionMade(self):
        self.transport.setTcpNoDelay(True)

    def stringReceived(self, string):
        self.sendString(string[::-1])

    def lineReceived(self, line):
        self.sendLine(line[::-1])

    def lengthLimitExceeded(self, length):
        self.ending = "limit"
        super().lengthLimitExceeded(length)

    def lineLengthExceeded(self, line):
        self.ending = "limit"
        super().lineLengthExceeded(line)

    # Without these two, Twisted drops the answers that are not written yet.
    def readConnectionLost(self):
        self.transport.loseConnection()

    def writeConnectionLost(self):
        pass

    def connectionLost(self, reason=protocol.connectionDone):
        print("broken" if getattr(self, "brokenPeer", 0) else self.ending)
        reactor.stop()


factory = protocol.Factory.forProtocol(Mirror)
if sys.argv[2] == "listen":
    server = endpoints.TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
    listening = server.listen(factory)
    listening.addCallback(lambda port: print(port.getHost().port, flush=True))
else:
    endpoints.TCP4ClientEndpoint(reactor, "127.0.0.1", int(sys.argv[3])).connect(factory)
reactor.run()
