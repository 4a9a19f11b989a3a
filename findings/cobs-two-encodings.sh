#!/usr/bin/env bash
# Software: npm cobs 0.2.1 and PyPI cobs 1.2.2.
# Behaviour: where a message ends in a run of exactly 254 bytes without a zero, the npm encoder
#   adds one more code byte (01), the Python encoder does not. Each decoder reads both forms as
#   the same message.
# A good guess is wrong: COBS is taken for a format with one encoding for each message, so one
#   compares encoded frames, counts 254 bytes as 255 on the wire, and keeps a buffer of just that
#   size.
# What a peer does about it: size buffers for n + n / 254 + 1 bytes (plus the zero between
#   frames), and take digests and compare before encoding, not after.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
node --version
python3 --version
npm install --silent --no-audit --no-fund --prefix "$dir" cobs@0.2.1
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check cobs==1.2.2

cat > "$dir/encode.cjs" <<'JS'
const cobs = require('cobs')
if (process.argv[2] === 'encode') {
  console.log(cobs.encode(Buffer.alloc(+process.argv[3], 1)).toString('hex'))
} else {
  console.log('npm reads both as', cobs.decode(Buffer.from(process.argv[3], 'hex')).length, 'and',
    cobs.decode(Buffer.from(process.argv[4], 'hex')).length)
}
JS
cat > "$dir/encode.py" <<'PY'
import subprocess
import sys

from cobs import cobs


def node(*args):
    return subprocess.run(
        ["node", sys.argv[1], *args], check=True, capture_output=True, text=True).stdout.strip()


for size in (253, 254, 255, 508):
    python = cobs.encode(b"\x01" * size)
    npm = bytes.fromhex(node("encode", str(size)))
    print(f"{size} bytes: PyPI {len(python)}, npm {len(npm)}, the same bytes: {python == npm}")
    if python != npm:
        print("PyPI reads both as", len(cobs.decode(python)), "and", len(cobs.decode(npm)))
        print(node("decode", python.hex(), npm.hex()))
PY

"$dir/venv/bin/python" "$dir/encode.py" "$dir/encode.cjs" > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
253 bytes: PyPI 254, npm 254, the same bytes: True
254 bytes: PyPI 255, npm 256, the same bytes: False
PyPI reads both as 254 and 254
npm reads both as 254 and 254
255 bytes: PyPI 257, npm 257, the same bytes: True
508 bytes: PyPI 510, npm 511, the same bytes: False
PyPI reads both as 508 and 508
npm reads both as 508 and 508
EXPECTED
