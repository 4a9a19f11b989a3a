#!/usr/bin/env bash
# Software: minicom 2.8 and picocom 3.1 (Debian 12), PyPI pyserial 3.5.
# Behaviour: picocom and pyserial (exclusive=True) lock a serial line by flock(2), minicom by a
#   file in /var/lock. So minicom opens a line that one of the others has locked, and they open one
#   that minicom has locked. Each gets a part of what arrives. pyserial takes no lock by default.
# A good guess is wrong: one takes a serial line for a thing that one program has, or "the lock"
#   of a serial line for one thing that all programs agree on.
# What a program does about it: take both locks, and TIOCEXCL besides; respect a file in /var/lock
#   whose process lives.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
for program in minicom picocom; do
    command -v "$program" >/dev/null ||
        apt-get install -y -qq --no-install-recommends "$program" >/dev/null
done
dpkg-query -W minicom picocom
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check pyserial==3.5

cat > "$dir/locks.py" <<'PY'
import glob
import os
import subprocess
import sys
import time
import tty

PYTHON = (
    "import serial, sys; port = serial.Serial(sys.argv[1], exclusive=True); "
    "print('it is open', flush=True); sys.stdin.read()"
)
# A command, what it says when it has the line, and what it says when it does not.
PROGRAMS = {
    "picocom": (["picocom"], b"Terminal ready", b"cannot lock"),
    "minicom": (["minicom", "-D"], b"Welcome to minicom", b"is locked"),
    "pyserial": ([sys.executable, "-c", PYTHON], b"it is open", b"Could not exclusively lock"),
}


def start(name, line):
    command, opened, refused = PROGRAMS[name]
    master, slave = os.openpty()
    program = subprocess.Popen(
        [*command, line], stdin=slave, stdout=slave, stderr=slave,
        env={**os.environ, "TERM": "vt100"})
    os.close(slave)
    said, end = b"", time.monotonic() + 20
    os.set_blocking(master, False)
    while time.monotonic() < end:
        try:
            said += os.read(master, 4096)
        except BlockingIOError:
            time.sleep(0.02)
        except OSError:
            break
        if opened in said or refused in said:
            break
    answers = {opened: "opens it", refused: "is refused"}
    return program, master, next((word for part, word in answers.items() if part in said), said)


def stop(program, master):
    program.kill()
    program.wait()
    os.close(master)


for first in PROGRAMS:
    for second in PROGRAMS:
        other_end, slave = os.openpty()
        line = os.ttyname(slave)
        tty.setraw(slave)
        os.close(slave)
        holder, holders, had = start(first, line)
        program, programs, saw = start(second, line)
        print(f"{first} {had}, {second} {saw}")
        stop(program, programs)
        stop(holder, holders)
        os.close(other_end)
        name = "/var/lock/LCK.." + line.removeprefix("/dev/").replace("/", "_")
        for left in glob.glob(name):
            os.unlink(left)
PY

"$dir/venv/bin/python" "$dir/locks.py" > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
picocom opens it, picocom is refused
picocom opens it, minicom opens it
picocom opens it, pyserial is refused
minicom opens it, picocom opens it
minicom opens it, minicom is refused
minicom opens it, pyserial opens it
pyserial opens it, picocom is refused
pyserial opens it, minicom opens it
pyserial opens it, pyserial is refused
EXPECTED
