"""Handles jobs as an interactive shell does: a terminal, process groups, and the foreground.

job_control.py PROGRAM DIRECTORY: fails by an exception.
"""
import os, pty, signal, socket, struct, subprocess, sys, termios, time
from fcntl import ioctl

PROGRAM, DIRECTORY = sys.argv[1:]
LIMIT = 30

signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # as a shell, which gives its terminal away
os.setsid()
master, slave = pty.openpty()
ioctl(slave, termios.TIOCSCTTY, 0)


def until(what, look):
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"not in time: {what}")


def own_group():
    os.setpgid(0, 0)
    for name in (signal.SIGTTOU, signal.SIGTTIN, signal.SIGTSTP):
        signal.signal(name, signal.SIG_DFL)


class Job:
    """A program in a process group of its own, in the background."""

    def __init__(self, *arguments, stdout=None):
        self.out = os.path.join(DIRECTORY, f"out-{arguments[0]}-{arguments[1]}")
        self.process = subprocess.Popen(
            [PROGRAM, *arguments], stdin=slave, stdout=stdout or open(self.out, "w"),
            stderr=subprocess.DEVNULL, preexec_fn=own_group)

    def foreground(self):
        os.tcsetpgrp(slave, self.process.pid)

    def background(self):
        """Ctrl-Z, and `bg`."""
        os.killpg(self.process.pid, signal.SIGTSTP)
        until("stopped", lambda: self.state() == "T")
        os.tcsetpgrp(slave, os.getpgrp())
        os.killpg(self.process.pid, signal.SIGCONT)
        self.runs()

    def state(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0]

    def runs(self):
        until("runs", lambda: self.state() in "RS")

    def said(self, text):
        def look():
            with open(self.out) as file:
                return [line for line in file if text in line]
        return until(text, look)[0]

    def end(self):
        self.process.terminate()
        self.process.wait(LIMIT)


class User:
    """A user of a chat over line."""

    def __init__(self, url):
        host, _, port = url.strip().rpartition("//")[2].rpartition(":")
        self.socket = socket.create_connection((host, int(port)), LIMIT)
        self.lines = self.socket.makefile("r")

    def say(self, text):
        self.socket.sendall(text.encode() + b"\n")

    def hears(self, text):
        assert self.lines.readline() == text + "\n"


def type_line(text):
    os.write(master, text.encode() + b"\n")


def chat_server():
    server = Job("chat", "serve", "--codec", "line")
    url = server.said("listening on").split()[-1]
    ann = User(url)
    ann.say("I am here")
    server.said("I am here")
    # In the background it serves, and does not read what is typed for another job.
    type_line("for the shell")
    ann.say("in the background")
    server.said("in the background")
    assert os.read(slave, 100) == b"for the shell\n"
    server.foreground()
    type_line("from the operator")
    ann.hears("from the operator")
    # It is stopped in the middle of a read.
    server.background()
    ann.say("in the background again")
    server.said("in the background again")
    type_line("for the shell")
    assert os.read(slave, 100) == b"for the shell\n"
    server.foreground()
    type_line("from the operator again")
    ann.hears("from the operator again")
    server.background()
    return server, url, ann


def chat_client(server, url, ann):
    client = Job("chat", "join", url, "--codec", "line")
    # It is connected once its line arrives.
    client.foreground()
    type_line("hello")
    ann.hears("hello")
    client.background()
    ann.say("to a client in the background")
    client.said("to a client in the background")
    client.foreground()
    type_line("back again")
    ann.hears("back again")
    type_line("q")
    assert client.process.wait(LIMIT) == 0
    os.tcsetpgrp(slave, os.getpgrp())
    server.end()


def browser():
    server = Job("file", "serve", "--root", DIRECTORY)
    browser = Job("file", "browse", server.said("listening on").split()[-1])
    browser.said("out-file-serve")
    browser.runs()
    browser.foreground()
    type_line("pwd")
    browser.said("/\n")
    browser.background()
    browser.foreground()
    type_line("help")
    browser.said("quit")
    type_line("quit")
    assert browser.process.wait(LIMIT) == 0
    os.tcsetpgrp(slave, os.getpgrp())
    server.end()


def stopping_output():
    """`stty tostop`: a server that prints is not stopped either."""
    attributes = termios.tcgetattr(slave)
    attributes[3] = (attributes[3] | termios.TOSTOP) & ~termios.ECHO
    termios.tcsetattr(slave, termios.TCSANOW, attributes)
    server = Job("chat", "serve", "--codec", "line", stdout=slave)
    screen = os.fdopen(master, "r", closefd=False)
    line = screen.readline()
    while "listening on" not in line:
        line = screen.readline()
    ann = User(line.split()[-1])
    ann.say("hello")
    while "hello" not in line:
        line = screen.readline()
    server.runs()
    server.end()


signal.alarm(4 * LIMIT)
chat_client(*chat_server())
browser()
stopping_output()
