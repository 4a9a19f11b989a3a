#!/usr/bin/env bash
# Software: npm length-prefixed-stream 2.0.0, frame-stream 4.0.1, netstring-stream 1.0.1; for
#   comparison it-length-prefixed 11.0.1, pull-length-prefixed 1.3.3 and @endo/netstring 1.1.1.
# Behaviour: the first three swallow a frame of length 0, and say a clean end when the stream ends
#   in the middle of a frame. The encoder of length-prefixed-stream sends the empty frame that its
#   decoder drops. netstring-stream gives wrong messages as soon as a netstring comes in two
#   reads.
# A good guess is wrong: a length of 0 is legal in all these formats, so one expects an empty
#   message; and a cut frame as an error, since only the length can tell it from a whole one.
# What a peer does about it: do not give meaning to the empty frame, and say the end in a frame of
#   its own, since these readers cannot tell a cut stream from a finished one. Readers: the other
#   three.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
node --version
npm install --silent --no-audit --no-fund --prefix "$dir" length-prefixed-stream@2.0.0 \
    frame-stream@4.0.1 netstring-stream@1.0.1 it-length-prefixed@11.0.1 pull-length-prefixed@1.3.3 \
    pull-stream@3.7.0 @endo/netstring@1.1.1

cat > "$dir/read.mjs" <<'JS'
import { createRequire } from 'module'
import * as itLengthPrefixed from 'it-length-prefixed'
import { makeNetstringReader } from '@endo/netstring'
const require = createRequire(import.meta.url)
const pull = require('pull-stream')

function show(name, messages, end) {
  console.log(`${name}: ${messages.map(m => JSON.stringify(Buffer.from(m).toString())).join(' ')}, ${end}`)
}

function piped(name, stream, chunks) {
  return new Promise(done => {
    const messages = []
    const finish = end => { show(name, messages, end); done() }
    stream.on('data', m => messages.push(m))
    stream.on('end', () => finish('clean end'))
    stream.on('error', () => finish('error'))
    for (const chunk of chunks) stream.write(chunk)
    stream.end()
  })
}

async function iterated(name, source) {
  const messages = []
  try {
    for await (const message of source) messages.push(message.subarray())
    show(name, messages, 'clean end')
  } catch {
    show(name, messages, 'error')
  }
}

async function* each(chunks) { yield* chunks }

const varint = { whole: [Buffer.from('\x01a\x00\x01b')], cut: [Buffer.from('\x01a\x05b')] }
const four = {
  whole: [Buffer.from('\0\0\0\x01a\0\0\0\0\0\0\0\x01b')],
  cut: [Buffer.from('\0\0\0\x01a\0\0\0\x05b')],
}
const netstring = {
  whole: [Buffer.from('1:a,0:,1:b,')],
  cut: [Buffer.from('1:a,5:b')],
  'in two reads': ['3:ab', 'c,3:def,'].map(s => Buffer.from(s)),
}
const lengthPrefixed = require('length-prefixed-stream')
for (const [name, chunks] of Object.entries(varint)) {
  await piped(`length-prefixed-stream, ${name}`, lengthPrefixed.decode(), chunks)
  await iterated(`it-length-prefixed, ${name}`, itLengthPrefixed.decode(each(chunks)))
  await new Promise(done => pull(
    pull.values(chunks),
    require('pull-length-prefixed').decode(),
    pull.collect((error, messages) => {
      show(`pull-length-prefixed, ${name}`, messages ?? [], error ? 'error' : 'clean end')
      done()
    }),
  ))
}
for (const [name, chunks] of Object.entries(four)) {
  await piped(`frame-stream, ${name}`, require('frame-stream').decode(), chunks)
}
for (const [name, chunks] of Object.entries(netstring)) {
  await piped(`netstring-stream, ${name}`, require('netstring-stream').readStream(), chunks)
  await iterated(`@endo/netstring, ${name}`, makeNetstringReader(each(chunks)))
}
const encoder = lengthPrefixed.encode()
const sent = []
encoder.on('data', piece => sent.push(piece))
for (const message of ['a', '', 'b']) encoder.write(Buffer.from(message))
encoder.end()
await new Promise(done => encoder.on('end', done))
console.log('length-prefixed-stream encodes "a" "" "b" as', Buffer.concat(sent).toString('hex'))
JS

node "$dir/read.mjs" > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
length-prefixed-stream, whole: "a" "b", clean end
it-length-prefixed, whole: "a" "" "b", clean end
pull-length-prefixed, whole: "a" "" "b", clean end
length-prefixed-stream, cut: "a", clean end
it-length-prefixed, cut: "a", error
pull-length-prefixed, cut: "a", error
frame-stream, whole: "a" "b", clean end
frame-stream, cut: "a", clean end
netstring-stream, whole: "a" "b", clean end
@endo/netstring, whole: "a" "" "b", clean end
netstring-stream, cut: "a" "b", clean end
@endo/netstring, cut: "a", error
netstring-stream, in two reads: "ab", clean end
@endo/netstring, in two reads: "abc" "def", clean end
length-prefixed-stream encodes "a" "" "b" as 0161000162
EXPECTED
