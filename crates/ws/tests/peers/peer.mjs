// A peer of Node, with the package ws: as peer.py, and with the same words.
import { createRequire } from "node:module";

const { WebSocket, WebSocketServer } = createRequire(import.meta.url)("ws");
const [, , role, url] = process.argv;
const show = (...words) => console.log(...words);

if (role === "server") {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "echo" });
  server.on("listening", () => show(server.address().port));
  server.on("connection", (ws) => {
    ws.on("error", () => {});
    ws.on("message", (data, binary) => {
      const [word, code, ...reason] = data.toString("latin1").split(" ");
      if (word === "close") ws.close(Number(code), reason.join(" "));
      else ws.send(data, { binary });
    });
    ws.on("close", (code, reason) => show("ended", code, reason.toString()));
  });
  process.stdin.on("end", () => process.exit()).resume();
} else {
  const ws = new WebSocket(url, ["echo"]);
  const pattern = Buffer.alloc(1_000_000, Buffer.from([...Array(251).keys()]));
  const messages = [Buffer.from("hello"), pattern, Buffer.alloc(0), "Grüße"];
  let at = 0;
  ws.on("open", () => {
    show("protocol", ws.protocol, "extensions", ws.extensions || "[]");
    ws.send(messages[0]);
  });
  ws.on("message", (data) => {
    if (at < 4) {
      show(data.length, Buffer.from(messages[at]).equals(data) ? "True" : "False");
      at += 1;
      if (at < 4) ws.send(messages[at]);
      else ws.ping();
    } else {
      show(data.toString());
      ws.close();
    }
  });
  ws.on("pong", () => {
    show("pong");
    // In three pieces.
    ws.send("a", { fin: false });
    ws.send("b", { fin: false });
    ws.send("c", { fin: true });
  });
  ws.on("unexpected-response", (request, response) => {
    show("refused", response.statusCode);
    process.exit();
  });
  ws.on("error", (error) => show("error", error.message));
  ws.on("close", (code, reason) => show("closed", code, reason.toString()));
}
