#!/usr/bin/env bash
# Software: clients of HTTP's CONNECT: PyPI PySocks 1.7.1, PyPI python-socks 3.2.1, CPython 3.11.7
#   http.client, npm https-proxy-agent 9.1.0, npm tunnel 0.0.6, OpenJDK 17 java.net.Socket,
#   corkscrew 2.0; for comparison curl 7.88.1, socat 1.7.4.4, ncat 7.93, netcat-openbsd 1.219
#   (Debian 12).
# Behaviour: where the target speaks first and its first bytes come in the same segment as the
#   proxy's answer, the first six of these clients lose them (tunnel resets the connection). Where
#   the answer comes in two segments, PySocks gives its header fields out as the target's data,
#   and python-socks refuses it. corkscrew gives the end of an answer above 4,096 bytes as data.
# A good guess is wrong: TCP has no segments for a program, and RFC 9110 (9.3.6) begins the tunnel
#   behind the blank line. With TLS in the tunnel it goes well, since there the client speaks
#   first; and on a test machine the two mostly come apart.
# What a peer does about it: a proxy gives the answer to CONNECT a segment of its own, short and
#   whole, and holds the target's bytes back for a moment. A server behind unknown clients does
#   not speak first. A client cuts at the blank line itself, and Node's takes `head` of 'connect'.
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
for package in corkscrew curl socat ncat netcat-openbsd openjdk-17-jdk-headless; do
    need "$package"
done
python3 --version
node --version
python3 -m venv "$dir/python"
"$dir/python/bin/pip" install -q --disable-pip-version-check PySocks==1.7.1 python-socks==3.2.1
npm install --silent --no-audit --no-fund --prefix "$dir" https-proxy-agent@9.1.0 tunnel@0.0.6

# A proxy, and the target behind it: "hello" from the target, and a line back for a line. The answer
# to CONNECT comes as the port's case says.
cat > "$dir/proxy.py" <<'PY'
import socket
import threading
import time

LONG = b"".join(b"X-%d: %s\r\n" % (i, b"v" * 90) for i in range(60))
CASES = [
    [b"HTTP/1.1 200 OK\r\n\r\n", b"hello\n"],
    [b"HTTP/1.1 200 OK\r\n\r\nhello\n"],
    [b"HTTP/1.1 200 OK\r\n", b"Via: proxy\r\n\r\n", b"hello\n"],
    [b"HTTP/1.1 200 OK\r\n" + LONG + b"\r\n", b"hello\n"],
]


def serve(connection, segments):
    with connection, connection.makefile("rb") as lines:
        try:
            while lines.readline() not in (b"\r\n", b""):
                pass
            for segment in segments:
                connection.sendall(segment)
                time.sleep(0.4)
            connection.settimeout(4)
            connection.sendall(b"you say " + lines.readline())
        except OSError:
            pass


def accept(listener, segments):
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0], segments), daemon=True).start()


for segments in CASES:
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=accept, args=(listener, segments), daemon=True).start()
    print(listener.getsockname()[1], flush=True)
threading.Event().wait()
PY

# Each client reads a line, says a line, and reads a line.
cat > "$dir/talk.py" <<'PY'
import sys

name, port = sys.argv[1], int(sys.argv[2])
if name == "PySocks":
    import socks

    link = socks.socksocket()
    link.set_proxy(socks.HTTP, "127.0.0.1", port)
    link.connect(("192.0.2.1", 80))
elif name == "python-socks":
    from python_socks.sync import Proxy

    link = Proxy.from_url(f"http://127.0.0.1:{port}").connect("192.0.2.1", 80)
else:
    import http.client

    client = http.client.HTTPConnection("127.0.0.1", port)
    client.set_tunnel("192.0.2.1", 80)
    client.connect()
    link = client.sock
link.settimeout(2)
lines = link.makefile("rb")
print(lines.readline().decode().strip(), flush=True)
link.sendall(b"hi\n")
print(lines.readline().decode().strip())
PY
cat > "$dir/talk.cjs" <<'JS'
const { EventEmitter } = require('events')
const [name, port] = [process.argv[2], Number(process.argv[3])]

function talk(socket) {
  socket.once('data', () => socket.write('hi\n'))
  socket.on('data', data => process.stdout.write(data))
  socket.on('end', () => process.exit())
  setTimeout(() => process.exit(), 2000)
}

if (name === 'tunnel') {
  require('tunnel').httpOverHttp({ proxy: { host: '127.0.0.1', port } })
    .createSocket({ host: '192.0.2.1', port: 80, request: new EventEmitter() }, talk)
} else {
  import('https-proxy-agent').then(async ({ HttpsProxyAgent }) => {
    const agent = new HttpsProxyAgent(`http://127.0.0.1:${port}`)
    const request = new EventEmitter()
    const target = { host: '192.0.2.1', port: 80, secureEndpoint: false }
    const socket = await agent.connect(request, target)
    talk(socket)
    request.emit('socket', socket)
  })
}
JS
cat > "$dir/Talk.java" <<'JAVA'
import java.io.*;
import java.net.*;

class Talk {
    public static void main(String[] arguments) throws Exception {
        var proxy = new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0]));
        var socket = new Socket(new Proxy(Proxy.Type.HTTP, proxy));
        socket.connect(InetSocketAddress.createUnresolved("192.0.2.1", 80));
        socket.setSoTimeout(2000);
        var lines = new BufferedReader(new InputStreamReader(socket.getInputStream()));
        System.out.println(lines.readLine());
        socket.getOutputStream().write("hi\n".getBytes());
        System.out.println(lines.readLine());
    }
}
JAVA
javac -d "$dir" "$dir/Talk.java"

: > "$dir/ports"
"$dir/python/bin/python" "$dir/proxy.py" >> "$dir/ports" &
server=$!
until [ "$(wc -l < "$dir/ports")" = 4 ]; do sleep 0.1; done
mapfile -t ports < "$dir/ports"

typed() { sleep 2; echo hi; sleep 0.6; }
talk() { # a client, at a port
    local name=$1 port=$2
    case $name in
        java) java -cp "$dir" Talk "$port" ;;
        tunnel | https-proxy-agent) node "$dir/talk.cjs" "$name" "$port" ;;
        corkscrew) typed | timeout 5 corkscrew 127.0.0.1 "$port" 192.0.2.1 80 ;;
        curl) typed | timeout 5 curl -sN -p -x "127.0.0.1:$port" telnet://192.0.2.1:80 ;;
        socat) typed | timeout 5 socat -t2 - "PROXY:127.0.0.1:192.0.2.1:80,proxyport=$port" ;;
        ncat)
            typed | timeout 5 ncat --proxy-type http --proxy "127.0.0.1:$port" 192.0.2.1 80 ;;
        netcat) typed | timeout 5 nc.openbsd -X connect -x "127.0.0.1:$port" 192.0.2.1 80 ;;
        *) "$dir/python/bin/python" "$dir/talk.py" "$name" "$port" ;;
    esac
}

say() { # what a client printed: the target's two lines are "hello" and "you say hi"
    tr -d '\r' | awk '
        $0 == "hello" { hello = NR }
        $0 == "you say hi" { answer = NR }
        END {
            if (!NR) print "nothing"
            else if (!hello) print "only the proxy'"'"'s header fields"
            else if (hello > 1) print "header fields, then as sent"
            else print answer == 2 ? "as sent" : "something else"
        }'
}
cases=(apart 'with the answer' 'answer in two' 'long answer')
clients=(PySocks python-socks http.client https-proxy-agent tunnel java corkscrew
    curl socat ncat netcat)
for name in "${clients[@]}"; do
    jobs=()
    for i in 0 1 2 3; do
        { talk "$name" "${ports[i]}" 2>/dev/null || true; } | say > "$dir/seen.$i" &
        jobs+=($!)
    done
    wait "${jobs[@]}"
    for i in 0 1 2 3; do echo "$name, ${cases[i]}: $(< "$dir/seen.$i")"; done
done > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
PySocks, apart: as sent
PySocks, with the answer: nothing
PySocks, answer in two: only the proxy's header fields
PySocks, long answer: as sent
python-socks, apart: as sent
python-socks, with the answer: nothing
python-socks, answer in two: only the proxy's header fields
python-socks, long answer: as sent
http.client, apart: as sent
http.client, with the answer: nothing
http.client, answer in two: as sent
http.client, long answer: as sent
https-proxy-agent, apart: as sent
https-proxy-agent, with the answer: nothing
https-proxy-agent, answer in two: as sent
https-proxy-agent, long answer: as sent
tunnel, apart: as sent
tunnel, with the answer: nothing
tunnel, answer in two: as sent
tunnel, long answer: as sent
java, apart: as sent
java, with the answer: nothing
java, answer in two: as sent
java, long answer: as sent
corkscrew, apart: as sent
corkscrew, with the answer: as sent
corkscrew, answer in two: header fields, then as sent
corkscrew, long answer: header fields, then as sent
curl, apart: as sent
curl, with the answer: as sent
curl, answer in two: as sent
curl, long answer: as sent
socat, apart: as sent
socat, with the answer: as sent
socat, answer in two: as sent
socat, long answer: as sent
ncat, apart: as sent
ncat, with the answer: as sent
ncat, answer in two: as sent
ncat, long answer: as sent
netcat, apart: as sent
netcat, with the answer: as sent
netcat, answer in two: as sent
netcat, long answer: as sent
EXPECTED
