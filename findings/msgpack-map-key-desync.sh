#!/usr/bin/env bash
# Software: PyPI msgpack 1.2.4, class Unpacker (the C extension and the pure Python fallback).
# Behaviour: a message that Unpacker refuses leaves the reader in the middle of it. `{1: 2}` is
#   legal MessagePack, but strict_map_key is on by default: unpack raises ValueError, and the next
#   call gives 2, the inside of the refused message, as a message of its own. With a text that is
#   not UTF-8 the C extension reads the bytes of the text as messages (0xff becomes -1).
# A good guess is wrong: a sequence of messages has clear borders, so one expects that the refused
#   one is skipped, or that every later call raises. Here later calls succeed and give what no
#   peer sent.
# What a peer does about it: after any exception from Unpacker drop the connection. Otherwise
#   frame each message by a length and unpack it alone (msgpack.unpackb), or say
#   strict_map_key=False and raw=True and check by hand. A peer that sends to Python uses text
#   keys.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 --version
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check msgpack==1.2.4

cat > "$dir/read.py" <<'PY'
import msgpack
from msgpack import fallback


def read(unpacker, stream):
    unpacker.feed(stream)
    seen = []
    while True:
        try:
            seen.append(unpacker.unpack())
        except msgpack.OutOfData:
            return seen
        except ValueError as error:
            seen.append(type(error).__name__)


messages = {
    "{1: 2}, 5, 6": b"\x81\x01\x02" + b"\x05" + b"\x06",
    "[{1: 2}, 9], 5, 6": b"\x92\x81\x01\x02\x09" + b"\x05" + b"\x06",
    "a text of 0xff, 5, 6": b"\xa1\xff" + b"\x05" + b"\x06",
}
for kind in (msgpack.Unpacker, fallback.Unpacker):
    for name, stream in messages.items():
        print(f"{kind.__module__}: sent {name}; read {read(kind(), stream)}")
PY

"$dir/venv/bin/python" "$dir/read.py" > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
msgpack._cmsgpack: sent {1: 2}, 5, 6; read ['ValueError', 2, 5, 6]
msgpack._cmsgpack: sent [{1: 2}, 9], 5, 6; read ['ValueError', 2, 9, 5, 6]
msgpack._cmsgpack: sent a text of 0xff, 5, 6; read ['UnicodeDecodeError', -1, 5, 6]
msgpack.fallback: sent {1: 2}, 5, 6; read ['ValueError', 2, 5, 6]
msgpack.fallback: sent [{1: 2}, 9], 5, 6; read ['ValueError', 2, 9, 5, 6]
msgpack.fallback: sent a text of 0xff, 5, 6; read ['UnicodeDecodeError', 5, 6]
EXPECTED
