#!/usr/bin/env bash
# Software: Node.js 20.20.2 (ICU 78.2) TextDecoder, against npm text-encoding 0.7.0, which carries
#   the tables of the WHATWG Encoding Standard.
# Behaviour: TextDecoder uses other tables than the standard of its own name. windows-1252 is read
#   as Latin-1, so 0x80 is U+0080 instead of the euro sign (27 bytes differ). koi8-u, windows-874,
#   -1253 and -1255 differ in single bytes; of euc-kr only the KS X 1001 part is known, and 8,824
#   pairs are missing; iso-8859-16 and x-user-defined are refused with a RangeError.
# A good guess is wrong: a browser, encoding_rs and Node name the same standard, so one expects
#   the same text from the same bytes.
# What a peer does about it: send UTF-8 to Node programs; where an old encoding is needed, state
#   it and let Node decode by a table of its own (iconv-lite, text-encoding), above all
#   windows-1252.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
node -p '"Node.js " + process.version + ", ICU " + process.versions.icu'
npm install --silent --no-audit --no-fund --prefix "$dir" text-encoding@0.7.0

cat > "$dir/compare.cjs" <<'JS'
const standard = require('text-encoding').TextDecoder
const hex = text => [...text].map(c => 'U+' + c.codePointAt(0).toString(16).padStart(4, '0')).join(' ')

for (const label of ['windows-1252', 'koi8-u', 'windows-874', 'windows-1253', 'windows-1255',
  'windows-1251', 'iso-8859-16', 'x-user-defined']) {
  let decoder
  try {
    decoder = new TextDecoder(label)
  } catch (error) {
    console.log(`${label}: ${error.name}`)
    continue
  }
  let count = 0
  let first = ''
  for (let byte = 0x80; byte < 0x100; byte++) {
    const bytes = Uint8Array.of(byte)
    const [node, table] = [decoder.decode(bytes), new standard(label).decode(bytes)]
    if (node === table) continue
    count++
    first ||= `, such as ${byte.toString(16)}: ${hex(node)}, the standard ${hex(table)}`
  }
  console.log(`${label}: ${count} bytes differ${first}`)
}

// Pairs that the standard reads as one character.
for (const label of ['euc-kr', 'shift_jis']) {
  const decoder = new TextDecoder(label)
  let count = 0
  let pairs = 0
  for (let lead = 0x81; lead < 0xff; lead++) {
    for (let trail = 0x40; trail < 0xff; trail++) {
      const bytes = Uint8Array.of(lead, trail)
      const table = new standard(label).decode(bytes)
      if ([...table].length !== 1 || table === '\ufffd') continue
      pairs++
      if (decoder.decode(bytes) !== table) count++
    }
  }
  console.log(`${label}: ${count} of ${pairs} pairs differ`)
}
JS

node "$dir/compare.cjs" > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
windows-1252: 27 bytes differ, such as 80: U+0080, the standard U+20ac
koi8-u: 2 bytes differ, such as ae: U+255d, the standard U+045e
windows-874: 8 bytes differ, such as db: U+f8c1, the standard U+fffd
windows-1253: 1 bytes differ, such as aa: U+00aa, the standard U+fffd
windows-1255: 1 bytes differ, such as ca: U+fffd, the standard U+05ba
windows-1251: 0 bytes differ
iso-8859-16: RangeError
x-user-defined: RangeError
euc-kr: 8824 of 17048 pairs differ
shift_jis: 0 of 9604 pairs differ
EXPECTED
