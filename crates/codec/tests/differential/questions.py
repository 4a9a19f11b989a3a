"""Answers questions about the struct module, one line each, until there are no more."""
import asyncio
import struct
import sys


def pack(form, value):
    return struct.pack(form, int(value)).hex()


def unpack(form, data=""):
    (value,) = struct.unpack(form, bytes.fromhex(data))
    return str(value)


def calcsize(form):
    return str(struct.calcsize(form))


def frames(form, *payloads):
    """What the tutorial's programs send: struct.pack(form, len(data)) and data, for each."""
    data = [bytes.fromhex(payload[1:]) for payload in payloads]
    return b"".join(struct.pack(form, len(each)) + each for each in data).hex()


def until(delimiter, data):
    """What `readuntil` of asyncio finds, and what is left."""
    async def read():
        reader = asyncio.StreamReader()
        reader.feed_data(bytes.fromhex(data[1:]))
        reader.feed_eof()
        found = []
        try:
            while True:
                found.append(await reader.readuntil(bytes.fromhex(delimiter)))
        except asyncio.IncompleteReadError as end:
            return found + [end.partial]
    return " ".join("x" + each.hex() for each in asyncio.run(read()))


for line in sys.stdin:
    # An empty format is a question, too: words are kept apart by tabs.
    verb, *words = line.rstrip("\n").split("\t")
    try:
        answer = globals()[verb](*words)
    except (struct.error, OverflowError, ValueError) as error:
        answer = "!" + str(error)
    print(answer, flush=True)
