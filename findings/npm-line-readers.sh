#!/usr/bin/env bash
# Software: npm binary-split 1.0.5, @sovpro/delimited-stream 1.1.0, linebyline 1.3.0, split 1.0.1,
#   byline 5.0.0, @serialport/parser-readline 13.0.0, split2 4.2.0, and readline of Node.js
#   20.20.2.
# Behaviour: eight readers of lines give six answers to one valid text. binary-split,
#   delimited-stream and serialport's parser keep the CR of CR LF, and leave out an empty line
#   that ends in LF alone. byline leaves out every empty line. linebyline deletes a CR inside a
#   line. split adds an empty line at the end. readline and byline also end a line at a lone CR.
# A good guess is wrong: "split2 and its kin differ in speed only". The empty line ends the header
#   of STOMP- and LSP-like protocols: with four of these a peer may never see it.
# What a peer does about it: do not let an empty line carry meaning for unknown readers, end lines
#   by LF alone, and keep raw CR out of the text. Readers: split2 keeps all of it.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
node --version
npm install --silent --no-audit --no-fund --prefix "$dir" binary-split@1.0.5 linebyline@1.3.0 \
    @sovpro/delimited-stream@1.1.0 split@1.0.1 byline@5.0.0 @serialport/parser-readline@13.0.0 split2@4.2.0

cat > "$dir/read.cjs" <<'JS'
const { Readable } = require('stream')
const { DelimitedStream } = require('@sovpro/delimited-stream')
const { ReadlineParser } = require('@serialport/parser-readline')
const text = () => Readable.from([Buffer.from('a\r\n\r\nb\rc\n\nd\n')])

function show(name, lines) {
  console.log(`${name}: ${lines.map(line => JSON.stringify(String(line))).join(' ')}`)
}

async function piped(name, stream) {
  const lines = []
  text().pipe(stream).on('data', line => lines.push(line))
  await new Promise(done => stream.on('end', done))
  show(name, lines)
}

(async () => {
  await piped('split2', require('split2')())
  await piped('split', require('split')())
  await piped('binary-split', require('binary-split')())
  await piped('delimited-stream', new DelimitedStream('\n'))
  await piped('serialport', new ReadlineParser())
  await piped('byline', require('byline').createStream())
  const lines = []
  const reader = require('linebyline')(text())
  reader.on('line', line => lines.push(line))
  await new Promise(done => reader.on('end', done))
  show('linebyline', lines)
  const read = []
  for await (const line of require('readline').createInterface({ input: text() })) read.push(line)
  show('readline', read)
})()
JS

node "$dir/read.cjs" > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
split2: "a" "" "b\rc" "" "d"
split: "a" "" "b\rc" "" "d" ""
binary-split: "a\r" "\r" "b\rc" "d"
delimited-stream: "a\r" "\r" "b\rc" "d"
serialport: "a\r" "\r" "b\rc" "d"
byline: "a" "b" "c" "d"
linebyline: "a" "" "bc" "" "d"
readline: "a" "" "b" "c" "" "d"
EXPECTED
