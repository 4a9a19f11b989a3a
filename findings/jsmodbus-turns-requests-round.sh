#!/usr/bin/env bash
# Software: npm jsmodbus 5.0.0 (server.TCP, Node.js 20.20.2); for comparison npm modbus-serial
#   8.0.25 (ServerTCP).
# Behaviour: where several requests come in one segment, the server carries them out and answers
#   them from the last to the first: of three writes to one register in one segment the first one
#   stays. Sent one after the other they keep their order. modbus-serial keeps it always.
# A good guess is wrong: answers may come in another order, since each has a transaction's number;
#   but one expects that a server executes what one connection sends in the order in which it was
#   sent, as TCP keeps it.
# What a peer does about it: wait for the answer before the next write to the same device, also
#   where the protocol allows several requests under way; TCP_NODELAY alone does not help, since
#   the kernel joins what the server has not read yet. Match answers by number, not by order.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
node --version
npm install --silent --no-audit --no-fund --prefix "$dir" jsmodbus@5.0.0 modbus-serial@8.0.25

cat > "$dir/ask.cjs" <<'JS'
const net = require('net')
const jsmodbus = require('jsmodbus')
const { ServerTCP } = require('modbus-serial')

const write = (number, value) => Buffer.from([0, number, 0, 0, 0, 6, 1, 6, 0, 0, 0, value])
const read = number => Buffer.from([0, number, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1])

// Sends each element of `segments` when the one before is answered; gives the numbers of the
// answers, and the value of the last one.
function talk(port, segments) {
  return new Promise(done => {
    const numbers = []
    let buffer = Buffer.alloc(0)
    let waiting = 0
    const socket = net.connect(port, '127.0.0.1')
    const next = () => {
      const segment = segments.shift()
      waiting = segment.length
      socket.write(Buffer.concat(segment))
    }
    socket.on('connect', next)
    socket.on('data', data => {
      buffer = Buffer.concat([buffer, data])
      while (buffer.length >= 6 && buffer.length >= 6 + buffer.readUInt16BE(4)) {
        const length = 6 + buffer.readUInt16BE(4)
        numbers.push(buffer.readUInt16BE(0))
        const value = buffer[length - 1]
        buffer = buffer.subarray(length)
        waiting -= 1
        if (waiting > 0) continue
        if (segments.length) next()
        else done({ value, numbers: numbers.join(' '), end: socket.destroy() })
      }
    })
  })
}

async function main() {
  const jsServer = net.createServer()
  new jsmodbus.server.TCP(jsServer, { holding: Buffer.alloc(2) })
  await new Promise(done => jsServer.listen(0, '127.0.0.1', done))
  let register = 0
  const other = new ServerTCP({
    getHoldingRegister: () => register,
    setRegister: (_, value) => { register = value },
  }, { host: '127.0.0.1', port: 0 })
  await new Promise(done => other.on('initialized', done))

  const writes = [write(1, 11), write(2, 22), write(3, 33)]
  const servers = { jsmodbus: jsServer, 'modbus-serial': other._server }
  for (const [name, server] of Object.entries(servers)) {
    for (const [how, segments] of [
      ['one by one', writes.map(request => [request])],
      ['in one segment', [writes]],
    ]) {
      const { numbers, value } = await talk(server.address().port, [...segments, [read(4)]])
      const answers = `answers ${numbers}, the register is ${value}`
      console.log(`${name}, writes of 11 22 33 ${how}: ${answers}`)
    }
  }
  process.exit()
}

main()
JS
node --no-deprecation "$dir/ask.cjs" > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
jsmodbus, writes of 11 22 33 one by one: answers 1 2 3 4, the register is 33
jsmodbus, writes of 11 22 33 in one segment: answers 3 2 1 4, the register is 11
modbus-serial, writes of 11 22 33 one by one: answers 1 2 3 4, the register is 33
modbus-serial, writes of 11 22 33 in one segment: answers 1 2 3 4, the register is 33
EXPECTED
