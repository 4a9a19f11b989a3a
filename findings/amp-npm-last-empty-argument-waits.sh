#!/usr/bin/env bash
# Software: npm amp 0.3.1 and amp-message 0.1.2 (the framing of axon and of pm2's axon), as seen
#   on Node.js 20.20.2.
# Behaviour: (1) a message whose last argument is empty comes out only when the next byte has
#   come. (2) A message without arguments takes the head of the next one for a length: that one is
#   lost, and an empty list comes in its place. (3) The count has four bits and wraps: 16
#   arguments become none, 17 become one and a message that nobody sent, without an error. (4) A
#   Buffer that begins with `s:` or `j:` arrives as a text or as parsed JSON, without its first
#   two bytes.
# A good guess is wrong: each argument has a length of four bytes, so one expects that an empty
#   one is whole at once, that bytes stay bytes, and an error for a count that does not fit.
# What a peer does about it: put the empty argument anywhere but last, send 1 to 15 arguments, and
#   put one byte in front of binary data (or send it as hexadecimal text).
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
node --version
npm install --silent --no-audit --no-fund --prefix "$dir" amp@0.3.1 amp-message@0.1.2

cat > "$dir/messages.cjs" <<'JS'
const amp = require('amp')
const Message = require('amp-message')

function receive(name, messages) {
  let got = []
  const stream = new amp.Stream()
  stream.on('data', bytes => {
    const { args } = new Message(bytes)
    got.push(args.length > 3 ? `${args.length} arguments` : JSON.stringify(args))
  })
  const steps = messages.map(message => {
    stream.write(new Message(message).toBuffer())
    const step = got.join(' and ') || 'nothing'
    got = []
    return step
  })
  console.log(`${name}: ${steps.join(', then ')}`)
}

const times = count => Array(count).fill('x')
receive('an empty argument first', [[Buffer.alloc(0), 'a'], ['next']])
receive('an empty argument last', [['a', Buffer.alloc(0)], ['next']])
receive('no argument', [[], ['next'], ['last']])
receive('15 arguments', [times(15)])
receive('17 arguments', [times(17).map((_, i) => `${i}`)])
receive('bytes that begin with s:', [[Buffer.from('s:abc')]])
receive('bytes that begin with j:', [[Buffer.from('j:[1]')]])
JS

node --no-deprecation "$dir/messages.cjs" > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
an empty argument first: [{"type":"Buffer","data":[]},"a"], then ["next"]
an empty argument last: nothing, then ["a",{"type":"Buffer","data":[]}] and ["next"]
no argument: nothing, then [], then ["last"]
15 arguments: 15 arguments
17 arguments: ["0"] and []
bytes that begin with s:: ["abc"]
bytes that begin with j:: [[1]]
EXPECTED
