#!/usr/bin/env bash
# Software: PyPI Twisted 26.10.0, the receivers of twisted.protocols.basic.
# Behaviour: (1) a stringReceived of Int8/16/32StringReceiver that pauses and resumes before it
#   returns gets the same message again, and then each later message of that read twice. (2) After
#   loseConnection() in stringReceived these receivers and NetstringReceiver still deliver the
#   other messages of that read. LineReceiver and LineOnlyReceiver do neither. (3) LineOnlyReceiver
#   drops the connection at a line of just MAX_LENGTH bytes when its CR and its LF come in two
#   reads.
# A good guess is wrong: pauseProducing and resumeProducing are what a consumer calls when its
#   buffer is full and empty again, also within one write, and LineReceiver guards against it. And
#   a receiver that closes at "quit" is expected to act on nothing behind it, as with lines.
# What a peer does about it: number the messages that must not be done twice. In Twisted resume by
#   reactor.callLater(0, ...), look at transport.disconnecting at the start of stringReceived, and
#   raise MAX_LENGTH by 1 for LineOnlyReceiver.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 --version
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check Twisted==26.10.0

cat > "$dir/receivers.py" <<'PY'
import socket
import struct
import sys
import threading
import time

from twisted.internet import endpoints, protocol, reactor
from twisted.protocols import basic

name, what, parts = sys.argv[1], sys.argv[2], sys.argv[3:]
Base = getattr(basic, name)


class Receiver(Base):
    MAX_LENGTH = 5

    def connectionMade(self):
        self.got = []

    def stringReceived(self, message):
        self.got.append(message.decode())
        if what == "resume" and len(self.got) == 1:
            self.pauseProducing()
            self.resumeProducing()
        if what == "lose":
            self.transport.loseConnection()

    lineReceived = stringReceived

    def lineLengthExceeded(self, line):
        self.got.append("too long")
        super().lineLengthExceeded(line)

    def connectionLost(self, reason=protocol.connectionDone):
        print(f"{name}, {what}: {self.got}")
        reactor.stop()


def wire(message):
    if "Int" in name:
        return struct.pack(Base.structFormat, len(message)) + message
    if "Netstring" in name:
        return b"%d:%s," % (len(message), message)
    return message + b"\r\n"


def send(port):
    with socket.create_connection(("127.0.0.1", port)) as peer:
        for part in parts or [b"".join(map(wire, [b"one", b"two", b"three"]))]:
            peer.sendall(part.encode().decode("unicode_escape").encode() if parts else part)
            time.sleep(0.3)


server = endpoints.TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
listening = server.listen(protocol.Factory.forProtocol(Receiver))
listening.addCallback(
    lambda port: threading.Thread(target=send, args=[port.getHost().port]).start()
)
reactor.run()
PY

run() { timeout 20 "$dir/venv/bin/python" "$dir/receivers.py" "$@" >> "$dir/seen"; }
for receiver in Int8StringReceiver Int16StringReceiver Int32StringReceiver LineReceiver; do
    run "$receiver" resume
done
for receiver in Int32StringReceiver NetstringReceiver LineReceiver LineOnlyReceiver; do
    run "$receiver" lose
done
run LineReceiver nothing '12345\r' '\nend\r\n'
run LineOnlyReceiver nothing '12345\r' '\nend\r\n'
run LineOnlyReceiver nothing '12345\r\n' 'end\r\n'
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
Int8StringReceiver, resume: ['one', 'one', 'two', 'three', 'two', 'three']
Int16StringReceiver, resume: ['one', 'one', 'two', 'three', 'two', 'three']
Int32StringReceiver, resume: ['one', 'one', 'two', 'three', 'two', 'three']
LineReceiver, resume: ['one', 'two', 'three']
Int32StringReceiver, lose: ['one', 'two', 'three']
NetstringReceiver, lose: ['one', 'two', 'three']
LineReceiver, lose: ['one']
LineOnlyReceiver, lose: ['one']
LineReceiver, nothing: ['12345', 'end']
LineOnlyReceiver, nothing: ['too long']
LineOnlyReceiver, nothing: ['12345', 'end']
EXPECTED
