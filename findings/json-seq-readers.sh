#!/usr/bin/env bash
# Software: readers of RFC 7464 sequences: npm json-text-sequence 4.0.3 (seen on Node.js 20.20.2),
#   PyPI jsonseq 1.0.0 and simplejsonseq 0.2.1 (CPython 3.11.7), jq 1.6 for comparison.
# Behaviour: four readers, four answers to the same sequences. json-text-sequence gives out a text
#   only when the next RS has come, or the end, so a peer that waits for an answer waits for ever;
#   and it takes `{}` and `3 ` without a line feed for truncated. jsonseq reads nothing behind a
#   text that has no line feed: it raises an error there, and no later text is found.
#   simplejsonseq makes one error of `{}`, `3 ` and the next text, and another of RS RS. jq alone
#   does as the RFC says.
# A good guess is wrong: section 2.4 says that an object ends by itself and that any white space ends
#   a number, section 2.3 that a reader goes on at the next RS, section 2.1 that RS RS is no text;
#   and one expects that a text has arrived with its LF.
# What a peer does about it: write LF behind each text and never two RS. Where a reader in Node.js
#   has to answer, write an RS of the next text behind the LF at once.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

node --version
python3 --version
if ! command -v jq >/dev/null; then
    apt-get update -q >/dev/null
    apt-get install -y -q jq >/dev/null 2>&1
fi
jq --version
npm install --silent --no-audit --no-fund --prefix "$dir" json-text-sequence@4.0.3
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check jsonseq==1.0.0 simplejsonseq==0.2.1

# Each on a line: whole texts, one that needs no LF, one that was cut, and RS twice.
cat > "$dir/cases.json" <<'JSON'
["\u001e1\n\u001e[2]\n", "\u001e{}\u001e3 \u001e4\n", "\u001e{\"a\":\u001e5\n\u001e6\n", "\u001e\u001e7\n"]
JSON
cat > "$dir/read.mjs" <<'JS'
import { readFileSync } from 'node:fs'
import { Parser } from 'json-text-sequence'

const turn = () => new Promise(done => setTimeout(done, 50))
for (const wire of JSON.parse(readFileSync(process.argv[2]))) {
  const parser = new Parser(), seen = []
  parser.on('data', value => seen.push(JSON.stringify(value)))
  parser.on('truncated', text => seen.push('truncated'))
  parser.on('invalid', text => seen.push('invalid'))
  parser.write(Buffer.from(wire))
  await turn()
  const before = seen.length
  parser.end()
  await turn()
  console.log(`json-text-sequence: ${seen.join(', ')}; before the end: ${before}`)
}
JS
cat > "$dir/read.py" <<'PY'
import io
import json
import sys
import warnings

import simplejsonseq
from jsonseq.decode import JSONSeqDecoder

warnings.simplefilter("ignore")


def read(name, values):
    seen = []
    try:
        for value in values:
            invalid = isinstance(value, simplejsonseq.InvalidJSON)
            seen.append("invalid" if invalid else json.dumps(value))
    except ValueError as error:
        seen.append(type(error).__name__)
    print(f"{name}: {', '.join(seen)}")


for wire in json.load(open(sys.argv[1])):
    read("jsonseq", JSONSeqDecoder().decode(io.StringIO(wire)))
    read("simplejsonseq", simplejsonseq.load(io.StringIO(wire)))
PY
cat > "$dir/read.sh" <<'SH'
# -r leaves the separators as they are, and @text writes no newline of its own.
for at in 0 1 2 3; do
    printf 'jq: '
    jq -r ".[$at]" "$1" | head -c -1 | jq --seq -c . 2>/dev/null | tr -d '\036' | paste -sd ' '
done
SH

{
    node "$dir/read.mjs" "$dir/cases.json"
    "$dir/venv/bin/python" "$dir/read.py" "$dir/cases.json" | sort -s -k 1,1
    bash "$dir/read.sh" "$dir/cases.json"
} > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
json-text-sequence: 1, [2]; before the end: 1
json-text-sequence: truncated, truncated, 4; before the end: 2
json-text-sequence: truncated, 5, 6; before the end: 2
json-text-sequence: 7; before the end: 0
jsonseq: 1, [2]
jsonseq: JSONDecodeError
jsonseq: JSONDecodeError
jsonseq: 7
simplejsonseq: 1, [2]
simplejsonseq: invalid
simplejsonseq: invalid, 5, 6
simplejsonseq: invalid
jq: 1 [2]
jq: {} 3 4
jq: 5 6
jq: 7
EXPECTED
