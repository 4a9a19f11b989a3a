// Answers each frame with its bytes in reverse order: vscode_peer.cjs bytes listen | connect PORT.
// As a JSON-RPC server it answers the method "reverse": vscode_peer.cjs json listen | connect PORT.
const net = require('net')
const rpc = require('vscode-jsonrpc/node')

const [kind, role, port] = process.argv.slice(2)
const bytes = {
  contentTypeDecoder: { name: 'bytes', decode: async bytes => ({ bytes: Buffer.from(bytes) }) },
  contentTypeEncoder: { name: 'bytes', encode: async ({ bytes }) => bytes }
}

function mirror(socket) {
  const reader = new rpc.StreamMessageReader(socket, bytes)
  const writer = new rpc.StreamMessageWriter(socket, bytes)
  let written = Promise.resolve()
  reader.onError(error => {
    console.log(error.message.split('\n')[0])
    socket.end()
  })
  reader.listen(message => { written = writer.write({ bytes: message.bytes.reverse() }) })
  socket.on('end', async () => {
    // The reader gives out one frame in each turn of the loop, the last ones after the end.
    await reader.readSemaphore.lock(async () => {})
    await written
    console.log('closed')
    socket.end()
  })
}

function serve(socket) {
  const reader = new rpc.StreamMessageReader(socket)
  const connection = rpc.createMessageConnection(reader, new rpc.StreamMessageWriter(socket))
  connection.onRequest('reverse', text => [...text].reverse().join(''))
  connection.onRequest('ask', async text => await connection.sendRequest('told', text) + '!')
  connection.onClose(() => console.log('closed'))
  socket.on('end', () => socket.end())
  connection.listen()
}

const meet = kind === 'bytes' ? mirror : serve
const options = { allowHalfOpen: true, noDelay: true }
if (role === 'listen') {
  const server = net.createServer(options, socket => {
    server.close()
    meet(socket)
  })
  server.listen(0, '127.0.0.1', () => console.log(server.address().port))
} else {
  const socket = net.connect({ ...options, port: Number(port), host: '127.0.0.1' })
  socket.on('connect', () => meet(socket))
}
