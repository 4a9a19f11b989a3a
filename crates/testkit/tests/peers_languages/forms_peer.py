"""Answers each message with its bytes in reverse order. Its frames have other forms, made by packages
of others: forms_peer.py slip|cobs|length FORM listen | connect PORT
FORM is none, zstd, lz4, deflate, zlib, or a CRC of crcmod with its format: x-25:<H"""

import itertools
import socket
import struct
import sys
import zlib

framing, form = sys.argv[1:3]
if sys.argv[3] == "listen":
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    peer = listener.accept()[0]
else:
    peer = socket.create_connection(("127.0.0.1", int(sys.argv[4])))
peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def pieces():
    while data := peer.recv(65536):
        yield data


def slip():
    import sliplib
    driver = sliplib.Driver()
    for data in pieces():
        driver.receive(data)
        while message := driver.get(block=False):
            yield message


def cobs():
    from cobs import cobs
    rest = b""
    for data in pieces():
        *frames, rest = (rest + data).split(b"\0")
        yield from map(cobs.decode, frames)


def length():
    buffer = bytearray()
    for data in pieces():
        buffer += data
        while len(buffer) >= 4 and len(buffer) >= 4 + struct.unpack_from(">I", buffer)[0]:
            end = 4 + struct.unpack_from(">I", buffer)[0]
            yield bytes(buffer[4:end])
            del buffer[:end]


def write(frame):
    if framing == "slip":
        import sliplib
        return sliplib.Driver().send(frame)
    if framing == "cobs":
        from cobs import cobs
        return cobs.encode(frame) + b"\0"
    return struct.pack(">I", len(frame)) + frame


def deflating(wbits):
    """Each level and strategy in turn, one with empty blocks between the parts."""
    def by(level, strategy):
        def compress(message):
            compressor = zlib.compressobj(level, wbits=wbits, strategy=strategy)
            return compressor.compress(message) + compressor.flush()
        return compress

    def flushed(message):
        compressor = zlib.compressobj(wbits=wbits)
        half = len(message) // 2
        first = compressor.compress(message[:half]) + compressor.flush(zlib.Z_SYNC_FLUSH)
        return first + compressor.compress(message[half:]) + compressor.flush()

    ways = [by(level, 0) for level in (0, 1, 6, 9)] + [by(6, strategy) for strategy in (1, 2, 3, 4)]
    return ways + [flushed], lambda coded: zlib.decompress(coded, wbits)


def zstd():
    import zstandard

    def streamed(message):
        compressor = zstandard.ZstdCompressor(level=19).compressobj()
        half = len(message) // 2
        first = compressor.compress(message[:half]) + compressor.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
        return first + compressor.compress(message[half:]) + compressor.flush()

    ways = [zstandard.ZstdCompressor(level=level).compress for level in (-5, 3, 22)]
    ways.append(zstandard.ZstdCompressor(write_checksum=True, write_content_size=False).compress)
    return ways + [streamed], lambda coded: zstandard.ZstdDecompressor().decompress(coded)


def lz4():
    import lz4.frame

    def by(**options):
        return lambda message: lz4.frame.compress(message, **options)

    ways = [by(), by(compression_level=9, block_size=lz4.frame.BLOCKSIZE_MAX4MB), by(block_linked=False)]
    ways.append(by(block_linked=True, block_checksum=True, content_checksum=True, store_size=False))
    return ways, lz4.frame.decompress


def summed(name, order):
    import crcmod.predefined
    crc = crcmod.predefined.mkCrcFun(name)

    def opened(coded):
        size = struct.calcsize(order)
        message, tail = coded[:-size], coded[-size:]
        assert struct.unpack(order, tail)[0] == crc(message), coded
        return message
    return [lambda message: message + struct.pack(order, crc(message))], opened


if form == "none":
    ways, opened = [bytes], bytes
elif form in ("deflate", "zlib"):
    ways, opened = deflating({"deflate": -15, "zlib": 15}[form])
elif form in ("zstd", "lz4"):
    ways, opened = {"zstd": zstd, "lz4": lz4}[form]()
else:
    ways, opened = summed(*form.split(":"))
frames = {"slip": slip, "cobs": cobs, "length": length}[framing]()
for coded, way in zip(frames, itertools.cycle(ways)):
    peer.sendall(write(way(opened(coded)[::-1])))
print("closed")
