#!/usr/bin/env bash
# Software: npm @serialport/parser-readline, -delimiter, -slip-encoder, -cctalk, -byte-length,
#   -ready, -regex, -packet-length and -spacepacket, 13.0.0 each (seen on Node.js 20.20.2).
# Behaviour: (1) `for await (const packet of parser)` joins all packets that came in one read:
#   "one\ntwo\n" is "onetwo", without its line feed. (2) `ready` does not see READY in "RREADY",
#   and never gives data then. (3) `regex` makes U+FFFD of a character that comes in two reads.
#   (4) `packet-length` with a delimiter of two bytes finds nothing any more behind one other
#   byte. (5) `spacepacket`: where a read ends just behind a header, the packet before it comes
#   again under that header; bytes are decoded as UTF-8; and at the end there is one more
#   "packet", [].
# A good guess is wrong: with on('data') the first five give one packet an event, so one expects
#   one a turn of the loop; but they are byte streams, and read() joins what lies there. A parser
#   is expected to give the same packets wherever the reads cut, and after noise on the line.
# What a peer does about it: in Node use on('data'), or a parser with readableObjectMode. A device
#   sends whole packets in one write, takes care that no byte goes before its first delimiter, and
#   has a mark for "ready" whose first byte is not repeated.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
node --version
parsers=()
for name in readline delimiter slip-encoder cctalk byte-length ready regex packet-length spacepacket
do
    parsers+=("@serialport/parser-$name@13.0.0")
done
npm install --silent --no-audit --no-fund --prefix "$dir" "${parsers[@]}"

cat > "$dir/read.cjs" <<'JS'
const load = name => Object.values(require(`@serialport/parser-${name}`))
function parser(name, options) {
  const Parser = load(name).find(one => /Parser|Decoder/.test(one.name))
  return new Parser(options)
}
const show = packet => Buffer.isBuffer(packet) ? packet.toString('latin1') : packet
const quoted = packets => packets.map(packet => JSON.stringify(packet)).join(' ') || 'nothing'

// The packets of on('data'), from reads that come one after the other.
async function events(stream, reads, shown = show) {
  const packets = []
  stream.on('data', packet => packets.push(shown(packet)))
  for (const read of reads) {
    stream.write(read)
    await new Promise(setImmediate)
  }
  stream.end()
  await new Promise(done => stream.on('end', done))
  return quoted(packets)
}

// The packets of a loop, from one read.
async function loop(stream, read) {
  const packets = []
  stream.end(read)
  for await (const packet of stream) packets.push(show(packet))
  return quoted(packets)
}

function space(number, text) {
  const header = Buffer.from([0x08, 0x01, 0xc0, number, 0, text.length - 1])
  return Buffer.concat([header, Buffer.from(text, 'latin1')])
}
const spaceShown = packet => packet.header
  ? `${packet.header.sequenceControl.packetName}:${packet.data}` : packet

async function main() {
  for (const [name, options, read] of [
    ['readline', {}, 'one\ntwo\n'],
    ['delimiter', { delimiter: '\0' }, 'one\0two\0'],
    ['slip-encoder', {}, Buffer.from('one\xc0two\xc0', 'latin1')],
    ['cctalk', undefined, Buffer.from('\x02\x00\x01A\xbc\x02\x00\x01B\xbb', 'latin1')],
    ['byte-length', { length: 3 }, 'onetwo'],
  ]) {
    console.log(`${name}, events: ${await events(parser(name, options), [read])}`)
    console.log(`${name}, loop: ${await loop(parser(name, options), read)}`)
  }
  for (const read of ['boot READY1', 'boot RREADY1']) {
    const got = await events(parser('ready', { delimiter: 'READY' }), [read])
    console.log(`ready, ${read}: ${got}`)
  }
  const text = Buffer.from('gr\u00fcn\n')
  for (const reads of [[text], [text.subarray(0, 3), text.subarray(3)]]) {
    const got = await events(parser('regex', { regex: /\n/ }), reads)
    console.log(`regex, ${reads.length} reads: ${got}`)
  }
  for (const noise of ['', '\0']) {
    const options = { delimiter: 0xaa55, delimiterBytes: 2, packetOverhead: 3, lengthOffset: 2 }
    const read = Buffer.from(`${noise}\xaaU\x01a\xaaU\x01b`, 'latin1')
    const got = await events(parser('packet-length', options), [read], p => p.toString('hex'))
    console.log(`packet-length, ${noise.length} bytes of noise: ${got}`)
  }
  const two = Buffer.concat([space(1, 'first'), space(2, 'other')])
  for (const cut of [11, 16, 17, 18]) {
    const reads = [two.subarray(0, cut), two.subarray(cut)]
    const got = await events(parser('spacepacket'), reads, spaceShown)
    console.log(`spacepacket, cut at ${cut}: ${got}`)
  }
  const raw = await events(parser('spacepacket'), [space(1, '\xff\x00')], spaceShown)
  console.log(`spacepacket, ff00: ${raw}`)
}

main()
JS

node "$dir/read.cjs" > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
readline, events: "one" "two"
readline, loop: "onetwo"
delimiter, events: "one" "two"
delimiter, loop: "onetwo"
slip-encoder, events: "one" "two"
slip-encoder, loop: "onetwo"
cctalk, events: "\u0002\u0000\u0001A¼" "\u0002\u0000\u0001B»"
cctalk, loop: "\u0002\u0000\u0001A¼\u0002\u0000\u0001B»"
byte-length, events: "one" "two"
byte-length, loop: "onetwo"
ready, boot READY1: "1"
ready, boot RREADY1: nothing
regex, 1 reads: "grün"
regex, 2 reads: "gr��n"
packet-length, 0 bytes of noise: "aa550161" "aa550162"
packet-length, 1 bytes of noise: "00"
spacepacket, cut at 11: "1:first" "2:other" []
spacepacket, cut at 16: "1:first" "2:other" []
spacepacket, cut at 17: "1:first" "2:first" "2:other" []
spacepacket, cut at 18: "1:first" "2:other" []
spacepacket, ff00: "1:�\u0000" []
EXPECTED
