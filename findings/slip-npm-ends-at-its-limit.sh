#!/usr/bin/env bash
# Software: npm slip 1.0.2 (which npm osc 2.4.5 uses for serial lines and TCP), slip.Decoder.
# Behaviour: a message above the limit ends the decoder for good. Every byte behind it is an
#   error, and no later message comes, however short. The limit is not `maxMessageSize` either,
#   but the largest of bufferSize, 2 * bufferSize, 4 * bufferSize ... that is smaller: 8 MiB of
#   the 10 MiB that are documented, 2,048 of 4,096, and 1,024 of 1,500. With a maxMessageSize of
#   1,024 or less no message comes at all, not even one of one byte.
# A good guess is wrong: SLIP finds its way back at the next END; one expects that one message is
#   dropped with one call of onError. ("Reset everything and carry on" stands in the source.) And
#   who lowers the limit to a packet's size for safety expects that shorter packets pass.
# What a peer does about it: send such a receiver messages below 1,024 bytes, or below a size that
#   it names. A receiver makes a new Decoder in onError, and sets bufferSize to less than half of
#   maxMessageSize.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
node --version
npm install --silent --no-audit --no-fund --prefix "$dir" slip@1.0.2

cat > "$dir/decode.cjs" <<'JS'
const slip = require('slip')

function decode(options, lengths) {
  const events = []
  const decoder = new slip.Decoder({
    ...options,
    onMessage: message => events.push(message.length),
    onError: () => events.push('error'),
  })
  for (const length of lengths) decoder.decode(slip.encode(new Uint8Array(length)))
  const errors = events.filter(event => event === 'error').length
  const messages = events.filter(event => event !== 'error').join(' ') || 'none'
  const sent = lengths.map(length => length.toLocaleString('en')).join(' ')
  console.log(`${JSON.stringify(options)}, sent ${sent}: got ${messages}, ${errors} errors`)
}

decode({}, [8388608])
decode({}, [8388609, 1, 2])
decode({ maxMessageSize: 4096 }, [2048, 2049, 1, 2])
decode({ maxMessageSize: 1500 }, [1024, 1500, 1, 2])
decode({ maxMessageSize: 1024 }, [1, 2, 3])
decode({ maxMessageSize: 1500, bufferSize: 32 }, [1024, 1025, 1])
JS

node "$dir/decode.cjs" > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
{}, sent 8,388,608: got 8388608, 0 errors
{}, sent 8,388,609 1 2: got none, 4 errors
{"maxMessageSize":4096}, sent 2,048 2,049 1 2: got 2048, 4 errors
{"maxMessageSize":1500}, sent 1,024 1,500 1 2: got 1024, 479 errors
{"maxMessageSize":1024}, sent 1 2 3: got none, 6 errors
{"maxMessageSize":1500,"bufferSize":32}, sent 1,024 1,025 1: got 1024, 2 errors
EXPECTED
