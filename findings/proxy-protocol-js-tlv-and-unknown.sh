#!/usr/bin/env bash
# Software: npm proxy-protocol-js 4.0.6.
# Behaviour: version 2: the additional fields (TLVs) behind the addresses are given out as the
#   start of the client's data, also behind a LOCAL header. Version 1: the short line `PROXY
#   UNKNOWN` CR LF is refused with an error, though it is legal and what nginx sends for a client
#   from a Unix socket.
# A good guess is wrong: the header's length field covers the TLVs, so one expects a parser to
#   pass over those it does not know; the specification asks for just that, and for taking the
#   short line.
# What a peer does about it: a proxy in front of such a server sends no TLVs (no `send-proxy-v2`
#   with options, no proxy that adds its own). A server cuts 16 bytes plus the length field
#   itself.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
node --version
npm install --silent --no-audit --no-fund --prefix "$dir" proxy-protocol-js@4.0.6

cat > "$dir/parse.cjs" <<'JS'
const { V1ProxyProtocol, V2ProxyProtocol } = require('proxy-protocol-js')

function header(command, family, rest) {
  const head = Buffer.from('0d0a0d0a000d0a515549540a' + command + family + '0000', 'hex')
  head.writeUInt16BE(rest.length, 14)
  return Buffer.concat([head, rest, Buffer.from('GET')])
}

const addresses = Buffer.from('7f0000017f00000104d20050', 'hex')
const noop = Buffer.from('0400020000', 'hex') // PP2_TYPE_NOOP, two bytes long
for (const [name, bytes] of [
  ['v2', header('21', '11', addresses)],
  ['v2 with a TLV', header('21', '11', Buffer.concat([addresses, noop]))],
  ['v2 LOCAL with a TLV', header('20', '00', noop)],
]) {
  const { data } = V2ProxyProtocol.parse(bytes)
  console.log(`${name}: the data begin with ${JSON.stringify(Buffer.from(data).toString('latin1'))}`)
}
for (const line of ['PROXY TCP4 127.0.0.1 127.0.0.1 1234 80', 'PROXY UNKNOWN']) {
  try {
    console.log(`${line}: ${V1ProxyProtocol.parse(line + '\r\nGET').data}`)
  } catch (error) {
    console.log(`${line}: ${error.name}`)
  }
}
JS

node "$dir/parse.cjs" > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
v2: the data begin with "GET"
v2 with a TLV: the data begin with "\u0004\u0000\u0002\u0000\u0000GET"
v2 LOCAL with a TLV: the data begin with "\u0004\u0000\u0002\u0000\u0000GET"
PROXY TCP4 127.0.0.1 127.0.0.1 1234 80: GET
PROXY UNKNOWN: V1ProxyProtocolParseError
EXPECTED
