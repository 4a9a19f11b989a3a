#!/usr/bin/env bash
# Software: PyPI aioquic 1.7.2; for comparison its fork, PyPI qh3 2.1.0.
# Behaviour: (1) send_datagram_frame takes a datagram of any length. One that does not fit into a
#   packet (1,180 bytes over IPv4 with the defaults) is never sent, and no datagram behind it
#   either, for as long as the connection lives; there is no error, and streams go on. (2)
#   writer.drain() never waits, and a server grants more credit for what arrives, not for what is
#   read: 8 MB for a handler that does not read are all in the server's memory, though the window
#   is 1 MiB.
# A good guess is wrong: datagrams are unreliable, so one expects that a long one is dropped, or
#   an error; the peer's max_datagram_frame_size of 65,536 seems to allow it. And QUIC is known
#   for its flow control, so one expects that a slow reader slows its writer down.
# What a peer does about it: send aioquic's datagrams below 1,150 bytes, checked before the call;
#   there is no way to take one back. Acknowledge messages to a peer that uses aioquic and keep
#   few of them under way, in both directions.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
if ! command -v openssl >/dev/null; then
    apt-get update -q >/dev/null
    apt-get install -y -q openssl >/dev/null 2>&1
fi
python3 --version
python3 -m venv "$dir/python"
"$dir/python/bin/pip" install -q --disable-pip-version-check aioquic==1.7.2 qh3==2.1.0
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
    -keyout "$dir/key.pem" -out "$dir/cert.pem" 2>/dev/null

cat > "$dir/talk.py" <<'PY'
import asyncio
import importlib
import ssl
import sys

library, folder = sys.argv[1:]
link = importlib.import_module(library + ".asyncio")
Protocol = importlib.import_module(library + ".asyncio.protocol").QuicConnectionProtocol
Configuration = importlib.import_module(library + ".quic.configuration").QuicConfiguration
Datagram = importlib.import_module(library + ".quic.events").DatagramFrameReceived

lengths = []
streams = []


class Server(Protocol):
    def quic_event_received(self, event):
        if isinstance(event, Datagram):
            lengths.append(len(event.data))
        super().quic_event_received(event)


async def until(condition):
    for _ in range(100):
        if condition():
            break
        await asyncio.sleep(0.05)


async def main():
    common = {"alpn_protocols": ["test"], "max_datagram_frame_size": 65536}
    configuration = Configuration(is_client=False, **common)
    configuration.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")
    server = await link.serve(
        "127.0.0.1", 0, configuration=configuration, create_protocol=Server,
        stream_handler=lambda reader, writer: streams.append((reader, writer)))
    port = server._transport.get_extra_info("sockname")[1]
    configuration = Configuration(is_client=True, verify_mode=ssl.CERT_NONE, **common)
    async with link.connect("127.0.0.1", port, configuration=configuration) as client:
        await client.ping()
        for length in (1100, 1200, 10, 20):
            client._quic.send_datagram_frame(b"d" * length)
            client.transmit()
            await asyncio.sleep(0.3)
        print(f"{library}: of datagrams of 1100 1200 10 20 bytes came", *lengths)
        if library == "qh3":
            return
        _, writer = await client.create_stream()
        for _ in range(80):
            writer.write(b"s" * 100_000)
            await writer.drain()
        print("aioquic: 8 MB written, and drained")
        await until(lambda: streams and len(streams[0][0]._buffer) >= 8_000_000)
        print(f"aioquic: {len(streams[0][0]._buffer)} bytes wait for a handler that does not read")
    server.close()


asyncio.run(main())
PY
for library in aioquic qh3; do
    "$dir/python/bin/python" "$dir/talk.py" "$library" "$dir"
done > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
aioquic: of datagrams of 1100 1200 10 20 bytes came 1100
aioquic: 8 MB written, and drained
aioquic: 8000000 bytes wait for a handler that does not read
qh3: of datagrams of 1100 1200 10 20 bytes came 1100 1200 10 20
EXPECTED
