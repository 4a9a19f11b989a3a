#!/usr/bin/env bash
# Software: PyPI kiss3 8.0.0 (KISSDecode, KISSProtocol), PyPI python4yahdlc 1.3.5
#   (yahdlc.get_data).
# Behaviour: kiss3 strips from a decoded frame all NULs at its start and all white space at both
#   ends (space, tab, CR, LF, VT, FF), though the frame is bytes; a frame of NULs becomes an empty
#   one. Its write_setting escapes a value twice, so that 0xc0 leaves as three other bytes.
#   yahdlc.get_data takes one frame from a read and drops the rest of the read: of two frames in
#   one read the second one is lost. A frame in two reads it joins.
# A good guess is wrong: KISS takes one byte, the command, in front, and one expects that all
#   bytes behind it arrive, as a KISS terminal sends and receives them. And a decoder that keeps
#   half a frame for the next call is expected to keep a whole one.
# What a peer does about it: put a byte that is neither NUL nor white space at both ends of a
#   payload for kiss3 (Python's own users pass strip_df_start=False and cut the command off). A
#   device that talks to yahdlc pauses between frames, and the reader splits at 0x7e itself.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 --version
python3 -m venv "$dir/python"
"$dir/python/bin/pip" install -q --disable-pip-version-check kiss3==8.0.0 python4yahdlc==1.3.5 \
    pyserial-asyncio==0.6

cat > "$dir/decode.py" <<'PY'
import yahdlc
from kiss.kiss import Command, KISSDecode, KISSProtocol


class Wire:
    def write(self, data):
        print(f"kiss3, the setting 0xc0: {data.hex()} leaves")


for payload in (b"text", b"\0\0a", b"a \r\n", b"\n", b"\0\0\0"):
    frame = b"\xc0\x00" + payload + b"\xc0"
    print(f"kiss3, {payload}: {list(KISSDecode().update(frame))}")
whole = list(KISSDecode(strip_df_start=False).update(b"\xc0\x00\0a \r\n\xc0"))
print("kiss3, b'\\x00a \\r\\n' without strip_df_start:", whole)
protocol = KISSProtocol()
protocol.transport = Wire()
protocol.write_setting(Command.TX_DELAY, 0xC0)


def read(chunk):
    try:
        return yahdlc.get_data(chunk)[0]
    except yahdlc.MessageError:
        return "no frame"


one, two = (yahdlc.frame_data(text, yahdlc.FRAME_DATA, 0) for text in ("one", "two"))
print("yahdlc, each in a read:", read(one), read(two))
print("yahdlc, one in two reads:", read(one[:4]), read(one[4:]))
print("yahdlc, both in one read:", read(one + two), read(b""))
PY
"$dir/python/bin/python" "$dir/decode.py" > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
kiss3, b'text': [b'text']
kiss3, b'\x00\x00a': [b'a']
kiss3, b'a \r\n': [b'a']
kiss3, b'\n': [b'']
kiss3, b'\x00\x00\x00': [b'']
kiss3, b'\x00a \r\n' without strip_df_start: [b'\x00\x00a \r\n']
kiss3, the setting 0xc0: c001dbdddcc0 leaves
yahdlc, each in a read: b'one' b'two'
yahdlc, one in two reads: no frame b'one'
yahdlc, both in one read: b'one' no frame
EXPECTED
