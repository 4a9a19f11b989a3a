"""Runs a program on a terminal of its own, and prints as JSON what it showed, its exit code, and
whether it left the terminal as it was.

Usage: terminal.py COLUMNS STEPS PROGRAM [ARGUMENT]... STEPS is a list in JSON, and each step is one of

    ["wait", TEXT]      until the program shows TEXT, after what the last step waited for
    ["type", TEXT]      the user types it
    ["resize", COLUMNS] the user makes the window so wide
    ["signal", NUMBER]  the program gets a signal
    ["serve", WORDS]    a server starts, in place of the last one; first steps of that kind come
                        before the program
"""
import atexit
import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time

COLUMNS, STEPS, PROGRAM = int(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3:]
DEADLINE = time.monotonic() + 60


def resize(fd, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))


def read(fd):
    """The next bytes; none at the end."""
    left = DEADLINE - time.monotonic()
    if left <= 0 or not select.select([fd], [], [], left)[0]:
        os.kill(child, 9)
        sys.exit(f"waited in vain; shown: {bytes(shown)!r}")
    try:
        return os.read(fd, 65536)
    except OSError:
        return b""


def stop():
    for server in servers:
        server.kill()
        server.wait()


def serve(words):
    stop()
    servers.append(subprocess.Popen(words, stdout=subprocess.PIPE))
    assert servers[-1].stdout.readline().startswith(b"listening on ")


servers = []
atexit.register(stop)
while STEPS and STEPS[0][0] == "serve":
    serve(STEPS.pop(0)[1])
go, begin = os.pipe()
child, fd = pty.fork()
if child == 0:
    os.close(begin)
    os.read(go, 1)
    os.execvp(PROGRAM[0], PROGRAM)
resize(fd, COLUMNS)
before = termios.tcgetattr(fd)
os.write(begin, b"x")
shown, seen = bytearray(), 0
for verb, what in STEPS:
    if verb == "wait":
        while (at := shown.find(what.encode(), seen)) < 0:
            more = read(fd)
            if not more:
                sys.exit(f"ended before {what!r}; shown: {bytes(shown)!r}")
            shown += more
        seen = at + len(what.encode())
    elif verb == "type":
        os.write(fd, what.encode())
    elif verb == "resize":
        resize(fd, what)
    elif verb == "signal":
        os.kill(child, what)
    elif verb == "serve":
        serve(what)
while more := read(fd):
    shown += more
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
is_as_before = termios.tcgetattr(fd) == before
print(json.dumps({"shown": shown.decode(errors="replace"), "code": code, "same": is_as_before}))
