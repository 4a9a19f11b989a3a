"""Answers questions about the struct module, one line each, until there are no more."""
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


for line in sys.stdin:
    # An empty format is a question, too: words are kept apart by tabs.
    verb, *words = line.rstrip("\n").split("\t")
    try:
        answer = globals()[verb](*words)
    except (struct.error, OverflowError, ValueError) as error:
        answer = "!" + str(error)
    print(answer, flush=True)
