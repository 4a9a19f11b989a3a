// A peer in Node: client or server. The arguments are those of peer.py, without the kind.
import fs from "node:fs";
import tls from "node:tls";

const [role, version, job, port, ca, cert, key, name] = process.argv.slice(2);
const COUNT = 1_000_000;
const PATTERN = Buffer.from(Uint8Array.from({ length: COUNT }, (_, i) => i % 251));
const file = (path) => (path === "-" ? undefined : fs.readFileSync(path));

const options = {
  ca: file(ca),
  cert: file(cert),
  key: file(key),
  minVersion: `TLSv${version}`,
  maxVersion: `TLSv${version}`,
  servername: name === "-" ? undefined : name,
  allowHalfOpen: true,
};

function end(words) {
  console.log(words);
  process.exit(0);
}

function work(socket) {
  socket.on("error", (error) => end(`${error.code} ${error.message}`));
  const come = [];
  const all = (then) => {
    socket.on("data", (data) => come.push(data));
    socket.on("end", () => {
      const data = Buffer.concat(come);
      if (!data.equals(PATTERN)) end(`${data.length} bytes came, and not the pattern`);
      then();
    });
  };
  socket.on("close", () => end("ok"));
  if (job === "echo" || job === "talk") {
    socket.pipe(socket);
  } else if (job === "send") {
    socket.end(PATTERN);
    socket.resume();
  } else if (job === "sink") {
    all(() => socket.end());
  } else if (job === "ask") {
    // Half-closes, and reads the answer.
    socket.end(PATTERN);
    all(() => {});
  }
}

if (role === "client") {
  const socket = tls.connect({ ...options, host: "127.0.0.1", port: Number(port) });
  work(socket);
} else {
  const asks = ca !== "-";
  const server = tls.createServer({ ...options, requestCert: asks, rejectUnauthorized: asks }, (socket) => {
    server.close();
    work(socket);
  });
  server.on("tlsClientError", (error) => end(`${error.code} ${error.message}`));
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));
}
