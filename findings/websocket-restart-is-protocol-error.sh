#!/usr/bin/env bash
# Software: npm faye-websocket 0.11.4 with websocket-driver 0.8.0 (Node.js 20.20.2), Ruby's
#   websocket-driver 0.6.3 (Debian 12), npm nodejs-websocket 1.7.2; for comparison npm ws 8.23.0
#   and websocket 1.0.35. The server is PyPI websockets 17.4.
# Behaviour: websocket-driver, in both languages, makes 1002 (protocol error) of the close codes
#   1012 (the server restarts), 1013 (try again later) and 1014, and keeps the reason's text. A
#   client of nodejs-websocket decodes each fragment of a text by itself: a character that two
#   fragments share becomes two U+FFFD.
# A good guess is wrong: 1012 to 1014 are registered with IANA, servers such as uvicorn send 1012
#   when they stop, and the usual client comes back after 1012 but gives up, or blames itself,
#   after 1002. Of a text only the whole has to be UTF-8 (RFC 6455, 5.6), so senders cut it at any
#   byte.
# What a peer does about it: end with 1001, or a code from 3000 on, where the client is not known,
#   and say in the reason what is to be done. A client reads 1002 with such a reason as a restart.
#   Send text to unknown peers unfragmented.
set -euo pipefail
dir=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; fi; rm -rf "$dir"' EXIT

need() { # installs a package of Debian where it is missing, and prints its version
    local state
    state=$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null || true)
    if [ "$state" != installed ]; then
        apt-get update -q >/dev/null
        DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$1" >/dev/null 2>&1
    fi
    dpkg-query -W "$1"
}
need ruby
need ruby-websocket-driver
node --version
python3 -m venv "$dir/python"
"$dir/python/bin/pip" install -q --disable-pip-version-check websockets==17.4
npm install --silent --no-audit --no-fund --prefix "$dir" faye-websocket@0.11.4 \
    websocket-driver@0.8.0 nodejs-websocket@1.7.2 ws@8.23.0 websocket@1.0.35

# Sends a text in two fragments, which share a character, and closes with the code in the path.
cat > "$dir/server.py" <<'PY'
import asyncio

from websockets.asyncio.server import serve


async def talk(connection):
    text = "gr\u00fcn".encode()
    await connection.send([text[:3], text[3:]], text=True)
    await connection.close(int(connection.request.path[1:]), "later")


async def main():
    async with serve(talk, "127.0.0.1", 0) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


asyncio.run(main())
PY
cat > "$dir/client.cjs" <<'JS'
const [port, ...codes] = process.argv.slice(2)
const events = library => (url, message, close) => new library(url)
  .on('message', event => message(event.data ?? event))
  .on('close', (event, reason) => close(event.code ?? event, event.reason ?? reason))
const clients = {
  'faye-websocket': events(require('faye-websocket').Client),
  ws: events(require('ws')),
  websocket: (url, message, close) => {
    new (require('websocket').client)().on('connect', connection => connection
      .on('message', event => message(event.utf8Data)).on('close', close)).connect(url)
  },
  'nodejs-websocket': (url, message, close) => require('nodejs-websocket').connect(url)
    .on('text', message).on('close', close),
}

async function main() {
  for (const [name, connect] of Object.entries(clients)) {
    const seen = []
    let text
    for (const code of codes) {
      await new Promise(done => connect(`ws://127.0.0.1:${port}/${code}`,
        message => { text = `${message}` },
        (got, reason) => done(seen.push(`${code} as ${got} ${reason}`))))
    }
    console.log(`${name}: ${text}, ${seen.join(', ')}`)
  }
  process.exit()
}

main()
JS
cat > "$dir/client.rb" <<'RUBY'
require 'socket'
require 'websocket/driver'

port, *codes = ARGV
Client = Struct.new(:url, :socket) do
  def write(bytes) = socket.write(bytes)
end
text = nil
seen = codes.map do |code|
  socket = TCPSocket.new('127.0.0.1', port)
  driver = WebSocket::Driver.client(Client.new("ws://127.0.0.1:#{port}/#{code}", socket))
  got = nil
  driver.on(:message) { |event| text = event.data }
  driver.on(:close) { |event| got = "#{event.code} #{event.reason}" }
  driver.start
  driver.parse(socket.readpartial(4096)) until got
  "#{code} as #{got}"
end
puts "websocket-driver for Ruby: #{text}, #{seen.join(', ')}"
RUBY

: > "$dir/port"
"$dir/python/bin/python" "$dir/server.py" >> "$dir/port" &
server=$!
until [ -s "$dir/port" ]; do sleep 0.1; done
port=$(< "$dir/port")
{
    node --no-deprecation "$dir/client.cjs" "$port" 1001 1012 1013 1014 3000
    LC_ALL=C.UTF-8 ruby "$dir/client.rb" "$port" 1001 1012 1013 1014 3000
} > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
faye-websocket: grün, 1001 as 1001 later, 1012 as 1002 later, 1013 as 1002 later, 1014 as 1002 later, 3000 as 3000 later
ws: grün, 1001 as 1001 later, 1012 as 1012 later, 1013 as 1013 later, 1014 as 1014 later, 3000 as 3000 later
websocket: grün, 1001 as 1001 later, 1012 as 1012 later, 1013 as 1013 later, 1014 as 1014 later, 3000 as 3000 later
nodejs-websocket: gr��n, 1001 as 1001 later, 1012 as 1012 later, 1013 as 1013 later, 1014 as 1014 later, 3000 as 3000 later
websocket-driver for Ruby: grün, 1001 as 1001 later, 1012 as 1002 later, 1013 as 1002 later, 1014 as 1002 later, 3000 as 3000 later
EXPECTED
