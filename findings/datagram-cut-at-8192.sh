#!/usr/bin/env bash
# Software: Twisted 26.10.0, CPython socketserver (3.11), LuaSocket 3.1.0, PHP 8.2 fread,
#   Erlang/OTP 25 gen_udp, socat 1.7.4.4, netcat-openbsd 1.219 and netcat-traditional 1.10 (Debian
#   12).
# Behaviour: a UDP datagram of 20,000 bytes reaches the program as its first 8,192 (16,384 for
#   netcat-openbsd). The rest is gone, no error is raised, and the next datagram is whole. PHP
#   does so even for fread($s, 65536), while its stream_socket_recvfrom($s, 65536) gives all.
# A good guess is wrong: these APIs take no buffer size (or a larger one), so one expects whole
#   datagrams up to 65,507 bytes, as asyncio, Node, Ruby and Go's 64 KiB buffers give.
# What a peer does about it: put a length or a digest into datagrams above 8,192 bytes, or stay
#   below. Receivers: Twisted listenUDP(maxPacketSize=65536), max_packet_size = 65536 in
#   UDPServer, LuaSocket receivefrom(65536), Erlang {recbuf, 65536} (it raises the buffer too),
#   socat -b 65536.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$dir"' EXIT

need() { # installs a Debian package unless it is there, and prints its version
    local state
    state=$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null || true)
    if [ "$state" != installed ]; then
        apt-get update -q >/dev/null
        apt-get install -y -q "$1" >/dev/null 2>&1
    fi
    dpkg-query -W "$1"
}

for package in lua5.4 lua-socket php-cli erlang-base socat netcat-openbsd ncat \
    netcat-traditional; do
    need "$package"
done
python3 --version
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check Twisted==26.10.0

cat > "$dir/receive.py" <<'PY'
from twisted.internet import protocol, reactor


class Sizes(protocol.DatagramProtocol):
    seen = 0

    def datagramReceived(self, data, address):
        print(len(data), flush=True)
        self.seen += 1
        if self.seen == 2:
            reactor.stop()


print(reactor.listenUDP(0, Sizes(), interface="127.0.0.1").getHost().port, flush=True)
reactor.run()
PY
cat > "$dir/server.py" <<'PY'
import socketserver


class Sizes(socketserver.BaseRequestHandler):
    def handle(self):
        print(len(self.request[0]), flush=True)


with socketserver.UDPServer(("127.0.0.1", 0), Sizes) as server:
    print(server.server_address[1], flush=True)
    server.handle_request()
    server.handle_request()
PY
cat > "$dir/sizes.lua" <<'LUA'
local udp = require("socket").udp()
udp:setsockname("127.0.0.1", 0)
local _, port = udp:getsockname()
print(math.tointeger(tonumber(port)))
io.stdout:flush()
print(#udp:receivefrom())
print(#udp:receivefrom())
LUA
cat > "$dir/sizes.php" <<'PHP'
<?php
$socket = stream_socket_server('udp://127.0.0.1:0', $errno, $message, STREAM_SERVER_BIND);
echo explode(':', stream_socket_get_name($socket, false))[1], "\n";
for ($i = 0; $i < 2; $i++) {
    echo strlen($argv[1] === 'fread' ? fread($socket, 65536) : stream_socket_recvfrom($socket, 65536)), "\n";
}
PHP
cat > "$dir/sizes.erl" <<'ERL'
-module(sizes).
-export([main/0]).
main() ->
    {ok, Socket} = gen_udp:open(0, [binary, {active, false}, {ip, {127, 0, 0, 1}}]),
    {ok, Port} = inet:port(Socket),
    io:format("~p~n", [Port]),
    lists:foreach(fun(_) ->
        {ok, {_, _, Data}} = gen_udp:recv(Socket, 0, 10000),
        io:format("~p~n", [byte_size(Data)])
    end, [1, 2]),
    halt().
ERL
erlc -o "$dir" "$dir/sizes.erl"

cat > "$dir/send.py" <<'PY'
import socket
import sys
import time

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for size in (20000, 5):
    sock.sendto(b"x" * size, ("127.0.0.1", int(sys.argv[1])))
    time.sleep(0.3)  # Erlang's receive buffer has room for the first one only
PY

# The receiver prints its port, then two sizes.
receiver() {
    local name=$1
    shift
    rm -f "$dir/out"
    timeout 20 "$@" > "$dir/out" &
    until [ -s "$dir/out" ]; do sleep 0.05; done
    python3 "$dir/send.py" "$(head -n 1 "$dir/out")"
    wait
    echo "$name: $(tail -n +2 "$dir/out" | paste -sd ' ')"
}

# The tool copies what it receives to its standard output; the port is one that was free just now.
tool() {
    local name=$1 port
    shift
    port=$(python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    sleep 3 | timeout 3 "${@//PORT/$port}" > "$dir/bytes" 2>/dev/null &
    until grep -qi "$(printf ':%04X ' "$port")" /proc/net/udp; do sleep 0.05; done
    python3 "$dir/send.py" "$port"
    wait || true
    echo "$name: $(stat -c %s "$dir/bytes") bytes in all"
}

{
    receiver Twisted "$dir/venv/bin/python" "$dir/receive.py"
    receiver 'socketserver.UDPServer' python3 "$dir/server.py"
    receiver LuaSocket lua5.4 "$dir/sizes.lua"
    receiver 'PHP fread' php "$dir/sizes.php" fread
    receiver 'PHP stream_socket_recvfrom' php "$dir/sizes.php" recvfrom
    receiver 'Erlang gen_udp' erl -noshell -pa "$dir" -run sizes main
    tool socat socat -u UDP-RECV:PORT,bind=127.0.0.1 -
    tool nc.openbsd nc.openbsd -u -l 127.0.0.1 PORT
    tool nc.traditional nc.traditional -u -l -s 127.0.0.1 -p PORT
    tool ncat ncat -u -l 127.0.0.1 PORT
} > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
Twisted: 8192 5
socketserver.UDPServer: 8192 5
LuaSocket: 8192 5
PHP fread: 8192 5
PHP stream_socket_recvfrom: 20000 5
Erlang gen_udp: 8192 5
socat: 8197 bytes in all
nc.openbsd: 16389 bytes in all
nc.traditional: 8197 bytes in all
ncat: 20005 bytes in all
EXPECTED
