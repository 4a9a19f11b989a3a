"""The other end of a serial line, by pyserial: it answers each frame with its bytes in reverse
order, until the frame "bye", or the end.

    peer.py DEVICE BAUD slip|cobs|line
"""

import sys

import serial


def slip():
    import sliplib

    driver = sliplib.Driver()

    def receive(data):
        driver.receive(data)
        frames = []
        while (frame := driver.get(block=False)) is not None:
            frames.append(frame)
        return frames

    return receive, sliplib.Driver().send


def cobs():
    from cobs import cobs as stuffing

    return cut(b"\0", stuffing.decode), lambda frame: stuffing.encode(frame) + b"\0"


def line():
    return cut(b"\n", bytes), lambda frame: frame + b"\n"


def cut(delimiter, decode):
    rest = b""

    def receive(data):
        nonlocal rest
        *frames, rest = (rest + data).split(delimiter)
        return [decode(frame) for frame in frames]

    return receive


device, baud, framing = sys.argv[1:]
receive, encode = {"slip": slip, "cobs": cobs, "line": line}[framing]()
port = serial.Serial(device, int(baud), exclusive=True)
print("open", flush=True)
try:
    while True:
        for frame in receive(port.read(1) + port.read(port.in_waiting)):
            port.write(encode(frame[::-1]))
            if frame == b"bye":
                port.flush()
                print("bye", flush=True)
                sys.exit()
except serial.SerialException as error:
    print("hung up:", error, flush=True)
