"""aioquic as a peer, in both roles.

    aioquic_peer.py server CERT KEY ALPN
    aioquic_peer.py client PORT CA ALPN JOB

A server prints its port and sends back what comes: the bytes of each stream with its end, and
datagrams. A stream that begins with "reset" is reset with the code 77, one that begins with "stop"
is not read any more, with the code 78, and one that begins with "close" closes the connection with
the code 79. A client does JOB and prints what came of it, one line each.
"""

import asyncio
import hashlib
import sys

from aioquic.asyncio import QuicConnectionProtocol, connect, serve
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import (
    ConnectionTerminated,
    DatagramFrameReceived,
    StopSendingReceived,
    StreamDataReceived,
    StreamReset,
)


def say(*words):
    print(*words, flush=True)


class Server(QuicConnectionProtocol):
    def __init__(self, *arguments, **others):
        super().__init__(*arguments, **others)
        self.orders = {}

    def quic_event_received(self, event):
        if isinstance(event, StreamDataReceived):
            order = self.orders.setdefault(event.stream_id, b"")
            if len(order) < 5:
                self.orders[event.stream_id] = order = order + event.data[:5]
            if order.startswith(b"reset"):
                self._quic.reset_stream(event.stream_id, 77)
            elif order.startswith(b"stop"):
                self._quic.stop_stream(event.stream_id, 78)
            elif order.startswith(b"close"):
                self.close(error_code=79, reason_phrase="as you like it")
            else:
                self._quic.send_stream_data(event.stream_id, event.data, event.end_stream)
        elif isinstance(event, DatagramFrameReceived):
            self._quic.send_datagram_frame(event.data)
        self.transmit()


class Client(QuicConnectionProtocol):
    def __init__(self, *arguments, **others):
        super().__init__(*arguments, **others)
        self.events = asyncio.Queue()

    def quic_event_received(self, event):
        self.events.put_nowait(event)

    async def next(self, *kinds):
        while True:
            event = await asyncio.wait_for(self.events.get(), 30)
            if isinstance(event, kinds + (ConnectionTerminated,)):
                return event

    def open(self, data, end=False):
        stream = self._quic.get_next_available_stream_id()
        self._quic.send_stream_data(stream, data, end)
        self.transmit()
        return stream


async def echoed(client):
    data = bytes(range(250)) * 4000
    client.open(data, True)
    heard = b""
    while True:
        event = await client.next(StreamDataReceived)
        if isinstance(event, ConnectionTerminated):
            return say("closed", event.error_code, event.reason_phrase)
        heard += event.data
        if event.end_stream:
            return say("echo", len(heard), hashlib.sha256(heard).digest() == hashlib.sha256(data).digest())


async def datagram(client):
    client._quic.send_datagram_frame(b"a datagram")
    client.transmit()
    event = await client.next(DatagramFrameReceived)
    say("datagram", event.data.decode())


async def aborts(client):
    stream = client.open(b"half of what was")
    await client.next(StreamDataReceived)
    client._quic.reset_stream(stream, 77)
    client._quic.stop_stream(stream, 77)
    client.transmit()
    event = await client.next(StreamReset)
    say(type(event).__name__, getattr(event, "error_code", None))


async def aborted(client):
    client.open(b"abort")
    reset = stopped = None
    while reset is None or stopped is None:
        event = await client.next(StreamReset, StopSendingReceived)
        if isinstance(event, StreamReset):
            reset = event.error_code
        elif isinstance(event, StopSendingReceived):
            stopped = event.error_code
        else:
            break
    say("aborted", reset, stopped)


async def closed(client):
    client.open(b"close")
    event = await client.next()
    say("closed", event.error_code, event.reason_phrase)


JOBS = {"echo": echoed, "datagram": datagram, "aborts": aborts, "aborted": aborted, "closed": closed}


async def server(cert, key, alpn):
    configuration = QuicConfiguration(
        is_client=False, alpn_protocols=[alpn], max_datagram_frame_size=65536
    )
    configuration.load_cert_chain(cert, key)
    running = await serve("127.0.0.1", 0, configuration=configuration, create_protocol=Server)
    say(running._transport.get_extra_info("sockname")[1])
    await asyncio.Event().wait()


async def client(port, ca, alpn, job):
    configuration = QuicConfiguration(
        alpn_protocols=[alpn], max_datagram_frame_size=65536, server_name="localhost"
    )
    configuration.load_verify_locations(ca)
    made = []

    def protocol(*arguments, **others):
        made.append(Client(*arguments, **others))
        return made[-1]

    try:
        async with connect(
            "127.0.0.1", int(port), configuration=configuration, create_protocol=protocol
        ) as connection:
            await JOBS[job](connection)
    except ConnectionError:
        while not made[-1].events.empty():
            event = made[-1].events.get_nowait()
            if isinstance(event, ConnectionTerminated):
                say("refused", hex(event.error_code), event.reason_phrase)


ROLES = {"server": server, "client": client}
asyncio.run(ROLES[sys.argv[1]](*sys.argv[2:]))
