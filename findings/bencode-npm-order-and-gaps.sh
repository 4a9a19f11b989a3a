#!/usr/bin/env bash
# Software: npm bencode 4.0.1 against PyPI bencode.py 4.1.0.
# Behaviour: the npm encoder sorts dictionary keys by UTF-16 units instead of bytes, leaves null
#   and undefined out of a list (the later elements move up), and writes true as 1. Its decoder
#   rounds integers above 2^53, takes a string that is shorter than its length says, and passes
#   over whatever follows the first value. bencode.py sorts by bytes and raises in the last two
#   cases.
# A good guess is wrong: bencode has exactly one encoding for each value, so one expects the same
#   bytes (and the same digest of a dictionary) from both, and an error for a message that was
#   cut.
# What a peer does about it: compare digests over received bytes, never over a re-encoded
#   dictionary; keep keys in ASCII; put big numbers into strings; frame each message by a length
#   of its own.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
node --version
python3 --version
npm install --silent --no-audit --no-fund --prefix "$dir" bencode@4.0.1
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check bencode.py==4.1.0

cat > "$dir/values.mjs" <<'JS'
import bencode from 'bencode'
const text = bytes => Buffer.from(bytes).toString()
console.log('npm, two keys:', text(bencode.encode({ '\u{ff5e}': 1, '\u{1f600}': 2 })))
console.log('npm, [1, null, undefined, true, 2]:', text(bencode.encode([1, null, undefined, true, 2])))
console.log('npm, i9007199254740993e:', bencode.decode(Buffer.from('i9007199254740993e')))
console.log('npm, 5:abc:', text(bencode.decode(Buffer.from('5:abc'))))
console.log('npm, i5e3:abc:', bencode.decode(Buffer.from('i5e3:abc')))
JS
cat > "$dir/values.py" <<'PY'
import bencodepy

print("PyPI, two keys:", bencodepy.encode({"\uff5e": 1, "\U0001f600": 2}).decode())
print("PyPI, i9007199254740993e:", bencodepy.decode(b"i9007199254740993e"))
for data in (b"5:abc", b"i5e3:abc"):
    try:
        print(f"PyPI, {data.decode()}:", bencodepy.decode(data))
    except bencodepy.BencodeDecodeError as error:
        print(f"PyPI, {data.decode()}:", type(error).__name__)
PY

{
    node "$dir/values.mjs"
    "$dir/venv/bin/python" "$dir/values.py"
} > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
npm, two keys: d4:😀i2e3:～i1ee
npm, [1, null, undefined, true, 2]: li1ei1ei2ee
npm, i9007199254740993e: 9007199254740992
npm, 5:abc: abc
npm, i5e3:abc: 5
PyPI, two keys: d3:～i1e4:😀i2ee
PyPI, i9007199254740993e: 9007199254740993
PyPI, 5:abc: BencodeDecodeError
PyPI, i5e3:abc: BencodeDecodeError
EXPECTED
