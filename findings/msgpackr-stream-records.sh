#!/usr/bin/env bash
# Software: npm msgpackr 2.1.4 PackrStream and npm cbor-x 1.6.9 EncoderStream, read by PyPI
#   msgpack 1.2.4 and cbor2 6.3.0.
# Behaviour: by default the two streams (and `new Packr()`, `new Encoder()`) do not write objects
#   as maps but as "records" of their own: the first message defines a list of keys, the second
#   only names it. Another MessagePack reader gets an extension, an array and an integer for the
#   first object, and the integers 64 and 2 for the second; another CBOR reader gets unknown tags.
#   Nobody reports an error.
# A good guess is wrong: the functions pack() and encode() of the same packages write plain maps,
#   so one expects the streams to write the same, and any reader to read it.
# What a peer does about it: in Node say {useRecords: false}; a reader in another language refuses
#   extension type 0x72 and tags from 57,343 on by name, since all that follows depends on them.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
node --version
python3 --version
npm install --silent --no-audit --no-fund --prefix "$dir" msgpackr@2.1.4 cbor-x@1.6.9
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check msgpack==1.2.4 cbor2==6.3.0

cat > "$dir/write.cjs" <<'JS'
const { PackrStream } = require('msgpackr')
const { EncoderStream } = require('cbor-x')
const [, , format, records] = process.argv
const options = records === 'plain' ? { useRecords: false } : {}
const stream = format === 'msgpack' ? new PackrStream(options) : new EncoderStream(options)
stream.pipe(process.stdout)
for (const message of [{ a: 1 }, { a: 2 }]) stream.write(message)
stream.end()
JS
cat > "$dir/read.py" <<'PY'
import io
import subprocess
import sys

import cbor2
import msgpack


def written(*args):
    return subprocess.run(
        ["node", sys.argv[1], *args], check=True, capture_output=True, timeout=20).stdout


for kind in ("default", "plain"):
    data = written("msgpack", kind)
    unpacker = msgpack.Unpacker()
    unpacker.feed(data)
    print(f"msgpackr, {kind}: {data.hex()} is read as", list(unpacker))
    data = written("cbor", kind)
    file = io.BytesIO(data)
    seen = []
    while file.tell() < len(data):
        seen.append(cbor2.load(file))
    print(f"cbor-x, {kind}: {data.hex()} is read as", seen)
PY

"$dir/venv/bin/python" "$dir/read.py" "$dir/write.cjs" > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
msgpackr, default: d4724091a161014002 is read as [ExtType(code=114, data=b'@'), ['a'], 1, 64, 2]
cbor-x, default: d9dfff8319e00081616101d9e0008102 is read as [CBORTag(57343, (57344, ('a',), 1)), CBORTag(57344, (2,))]
msgpackr, plain: de0001a16101de0001a16102 is read as [{'a': 1}, {'a': 2}]
cbor-x, plain: a1616101a1616102 is read as [{'a': 1}, {'a': 2}]
EXPECTED
