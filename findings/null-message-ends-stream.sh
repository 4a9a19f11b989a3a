#!/usr/bin/env bash
# Software: npm ndjson 2.0.0, split2 4.2.0 with JSON.parse, msgpack5 6.1.0, JSONStream 1.3.5 (seen
#   on Node.js 20.20.2); Perl CBOR::XS 1.86 and JSON::XS 4.04 (Debian 12).
# Behaviour: the message `null` is legal JSON, MessagePack and CBOR. The first three push it into
#   an object stream, where null means the end: the reader sees a clean end (and, when messages
#   follow in the same chunk, an error "push after EOF"), and every later message is lost.
#   JSONStream leaves it out. In Perl incr_parse gives undef, which also means "no whole message
#   yet": the usual loop stops with messages still in the buffer.
# A good guess is wrong: one expects a value, or a stand-in as cbor and msgpackr give; a parser
#   that takes `null` as "the peer has finished" is what nobody looks for.
# What a peer does about it: never send a bare null as a message; wrap it ({"value":null}). In
#   Node use a parser with a stand-in for null, and in Perl ask incr_parse in list context.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

need() { # installs a Debian package unless it is there, and prints its version
    local state
    state=$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null || true)
    if [ "$state" != installed ]; then
        apt-get update -q >/dev/null
        apt-get install -y -q "$1" >/dev/null 2>&1
    fi
    dpkg-query -W "$1"
}

need libcbor-xs-perl
need libjson-xs-perl
node --version
npm install --silent --no-audit --no-fund --prefix "$dir" ndjson@2.0.0 split2@4.2.0 msgpack5@6.1.0 \
    JSONStream@1.3.5 cbor@10.0.12 msgpackr@1.11.5

cat > "$dir/readers.cjs" <<'JS'
const ndjson = require('ndjson'), split2 = require('split2'), msgpack5 = require('msgpack5')
const JSONStream = require('JSONStream'), cbor = require('cbor'), msgpackr = require('msgpackr')

// Feeds the chunks one by one, and says which messages came before the stream ended.
function read(name, stream, chunks) {
  return new Promise(done => {
    const seen = []
    let error = ''
    stream.on('data', message => seen.push(typeof message === 'symbol' ? 'stand-in' : message))
    stream.on('error', e => { error = ', ' + e.message })
    stream.on('end', () => setImmediate(() => {
      console.log(`${name}: ${seen.join(' ')}, end${error}`)
      done()
    }))
    for (const chunk of chunks) stream.write(chunk)
    stream.end()
  })
}

(async () => {
  const lines = ['1\nnull\n', '2\n3\n']
  await read('ndjson', ndjson.parse(), lines)
  await read('split2 and JSON.parse', split2(JSON.parse), lines)
  await read('msgpack5', msgpack5().decoder(), [Buffer.from([1, 0xc0]), Buffer.from([2, 3])])
  await read('JSONStream', JSONStream.parse(), ['1 null ', '2 3 '])
  await read('cbor', new cbor.Decoder(), [Buffer.from([1, 0xf6]), Buffer.from([2, 3])])
  await read('msgpackr', new msgpackr.UnpackrStream(), [Buffer.from([1, 0xc0]), Buffer.from([2, 3])])
})()
JS

{
    node "$dir/readers.cjs"
    perl -MCBOR::XS -e '
        my ($cbor, $bytes, @seen) = (CBOR::XS->new, "\x01\xf6\x02\x03");
        while (defined(my $message = $cbor->incr_parse($bytes))) { push @seen, $message }
        print "CBOR::XS: @seen, ", length $bytes, " bytes left\n";'
    perl -MJSON::XS -e '
        my ($json, @seen) = (JSON::XS->new->allow_nonref);
        $json->incr_parse("1 null 2 3 ");
        while (defined(my $message = $json->incr_parse)) { push @seen, $message }
        print "JSON::XS: @seen, left:", $json->incr_text, "\n";'
} > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
ndjson: 1, end, stream.push() after EOF
split2 and JSON.parse: 1, end, stream.push() after EOF
msgpack5: 1, end, stream.push() after EOF
JSONStream: 1 2 3, end
cbor: 1 stand-in 2 3, end
msgpackr: 1 stand-in 2 3, end
CBOR::XS: 1, 2 bytes left
JSON::XS: 1, left: 2 3 
EXPECTED
