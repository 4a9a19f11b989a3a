#!/usr/bin/env bash
# Software: PyPI Twisted 26.10.0 SRVConnector, Node.js 20.20.2 dns.resolveSrv with net.connect,
#   Ruby 3.1 Resolv with TCPSocket; for comparison PyPI slixmpp 1.17.0. The record comes from
#   dnsmasq 2.90 (Debian 12).
# Behaviour: a SRV record with the target "." says that the domain has no such service (RFC 2782).
#   Node and Ruby give the target out as an empty name, and connect takes an empty name for this
#   machine: the client reaches whatever listens on that port of its own host. Twisted's
#   connector, which has a check for ".", does so by itself.
# A good guess is wrong: one expects "." as in the zone file, an error from the connect for a name
#   that is no host, and from a connector that knows SRV that it refuses.
# What a peer does about it: compare the target with both "." and "" before anything is connected.
#   A zone that says "no service" gives port 0 with the ".", where no listener can be.
set -euo pipefail
dir=$(mktemp -d)
started=()
trap 'kill "${started[@]}" 2>/dev/null || true; wait; rm -rf "$dir"' EXIT

need() { # installs a package of Debian where it is missing, and prints its version
    local state
    state=$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null || true)
    if [ "$state" != installed ]; then
        apt-get update -q >/dev/null
        DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -q "$1" >/dev/null 2>&1
    fi
    dpkg-query -W "$1"
}
need dnsmasq-base
need ruby
PATH=$PATH:/usr/sbin
node --version
python3 -m venv "$dir/python"
"$dir/python/bin/pip" install -q --disable-pip-version-check Twisted==26.10.0 slixmpp==1.17.0 \
    aiodns==4.0.4

# A server on this machine that nobody asked for, and a free port for the DNS.
cat > "$dir/server.py" <<'PY'
import socket

listener = socket.create_server(("127.0.0.1", 0))
with socket.socket(type=socket.SOCK_DGRAM) as probe:
    probe.bind(("127.0.0.1", 0))
    print(listener.getsockname()[1], probe.getsockname()[1], flush=True)
while True:
    connection, _ = listener.accept()
    with connection:
        print(f"this machine is reached by {connection.recv(100).decode()}", flush=True)
PY
: > "$dir/heard"
python3 "$dir/server.py" >> "$dir/heard" &
started+=($!)
until [ -s "$dir/heard" ]; do sleep 0.1; done
read -r port dns < "$dir/heard"
{
    printf '%s\n' no-resolv no-hosts listen-address=127.0.0.1 bind-interfaces "port=$dns"
    echo "srv-host=_chat._tcp.gone.test,.,$port,0,0"
    echo "srv-host=_xmpp-client._tcp.gone.test,.,$port,0,0"
} > "$dir/dnsmasq.conf"
dnsmasq --keep-in-foreground --conf-file="$dir/dnsmasq.conf" --pid-file="$dir/dnsmasq.pid" \
    2> "$dir/dnsmasq.log" &
started+=($!)
sleep 1

cat > "$dir/connect.py" <<'PY'
import sys

from twisted.internet import protocol, reactor
from twisted.names import client, srvconnect


class Say(protocol.Protocol):
    def connectionMade(self):
        self.transport.write(b"Twisted")


class Factory(protocol.ClientFactory):
    protocol = Say

    def clientConnectionFailed(self, connector, reason):
        print("Twisted:", reason.type.__name__, flush=True)


client.theResolver = client.Resolver(servers=[("127.0.0.1", int(sys.argv[1]))])
srvconnect.SRVConnector(reactor, "chat", "gone.test", Factory()).connect()
reactor.callLater(2, reactor.stop)
reactor.run()
PY
cat > "$dir/connect.cjs" <<'JS'
const dns = require('dns')
dns.setServers([`127.0.0.1:${process.argv[2]}`])
dns.resolveSrv('_chat._tcp.gone.test', (_, [record]) => {
  console.log(`Node.js: the target is ${JSON.stringify(record.name)}`)
  require('net').connect(record.port, record.name).end('Node.js')
})
JS
cat > "$dir/connect.rb" <<'RUBY'
require 'resolv'
require 'socket'
dns = Resolv::DNS.new(nameserver_port: [['127.0.0.1', ARGV[0].to_i]])
record = dns.getresource('_chat._tcp.gone.test', Resolv::DNS::Resource::IN::SRV)
puts "Ruby: the target is #{record.target.to_s.inspect}"
TCPSocket.open(record.target.to_s, record.port) { |socket| socket.write('Ruby') }
RUBY
cat > "$dir/resolve.py" <<'PY'
import asyncio
import sys

import aiodns
from slixmpp.xmlstream.resolver import resolve


async def main():
    dns = aiodns.DNSResolver(nameservers=["127.0.0.1"], udp_port=int(sys.argv[1]))
    loop = asyncio.get_running_loop()
    found = await resolve("gone.test", 5222, loop=loop, services=["xmpp-client"], resolver=dns)
    print("slixmpp:", found)


asyncio.run(main())
PY

{
    "$dir/python/bin/python" "$dir/connect.py" "$dns"
    node --no-deprecation "$dir/connect.cjs" "$dns"
    ruby "$dir/connect.rb" "$dns"
    "$dir/python/bin/python" "$dir/resolve.py" "$dns"
    sleep 0.5
    tail -n +2 "$dir/heard"
} > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
Node.js: the target is ""
Ruby: the target is ""
slixmpp: []
this machine is reached by Twisted
this machine is reached by Node.js
this machine is reached by Ruby
EXPECTED
