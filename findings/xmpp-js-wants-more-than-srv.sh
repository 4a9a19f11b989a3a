#!/usr/bin/env bash
# Software: npm @xmpp/client 0.14.0 on Node.js 20.20.2; the records come from dnsmasq 2.90 (Debian
#   12).
# Behaviour: a domain with SRV records for XMPP is not connected to unless the domain's own name
#   has an address, too: the client fails with ENOTFOUND for the domain. So does it when one of
#   several targets has no address; the others, which have, are not tried. And where the record
#   says "no such service" (target "."), the client connects to the domain's own address, at 5223
#   and 5222.
# A good guess is wrong: the records are there so that the domain's own name need not lead to the
#   server; a target that is gone is what priorities are for; and "." is expected to end the
#   search.
# What a peer does about it: give the domain's name an address, and remove a record together with
#   its target's address. A client that knows its server says `service: 'xmpp://host:5222'`.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

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
need iproute2
PATH=$PATH:/usr/sbin
node --version
npm install --silent --no-audit --no-fund --prefix "$dir" @xmpp/client@0.14.0

cat > "$dir/connect.mjs" <<'JS'
import net from 'net'
import { client } from '@xmpp/client'

const heard = []
for (const [address, port] of [['127.0.0.11', 5222], ['127.0.0.99', 5222], ['127.0.0.99', 5223]]) {
  net.createServer(socket => {
    heard.push(`${address}:${port}`)
    socket.on('error', () => {})
    socket.once('data', () => socket.destroy())
  }).listen(port, address)
}

async function connect(service) {
  const xmpp = client({ service, domain: service, username: 'user', password: 'secret' })
  xmpp.reconnect.stop()
  xmpp.on('error', () => {})
  const failure = await Promise.race([
    xmpp.start().then(() => 'online', error => error.message),
    new Promise(done => setTimeout(done, 1500)),
  ])
  const lookup = /getaddrinfo/.test(failure) ? failure : 'none'
  const reached = heard.splice(0).join(' ') || 'nothing'
  console.log(`${service}: connected to ${reached}, error: ${lookup}`)
}

for (const domain of ['whole.test', 'bare.test', 'half.test', 'dot.test']) await connect(domain)
process.exit()
JS

# The records, in a network of their own, since the client asks the machine's resolver.
cat > "$dir/dnsmasq.conf" <<'CONF'
no-resolv
no-hosts
listen-address=127.0.0.1
bind-interfaces
host-record=server.test,127.0.0.11
host-record=whole.test,127.0.0.99
host-record=half.test,127.0.0.99
host-record=dot.test,127.0.0.99
local=/test/
srv-host=_xmpp-client._tcp.whole.test,server.test,5222,10,0
srv-host=_xmpp-client._tcp.bare.test,server.test,5222,10,0
srv-host=_xmpp-client._tcp.half.test,server.test,5222,10,0
srv-host=_xmpp-client._tcp.half.test,gone.test,5222,20,0
srv-host=_xmpp-client._tcp.dot.test,.,0,0,0
CONF
echo 'nameserver 127.0.0.1' > "$dir/resolv.conf"
cat > "$dir/inside.sh" <<'SH'
ip link set lo up
mount --bind "$1/resolv.conf" /etc/resolv.conf
dnsmasq --keep-in-foreground --conf-file="$1/dnsmasq.conf" --pid-file="$1/dnsmasq.pid" 2> "$1/log" &
sleep 1
node --no-deprecation "$1/connect.mjs"
kill $!
SH
unshare --net --mount bash "$dir/inside.sh" "$dir" > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
whole.test: connected to 127.0.0.11:5222, error: none
bare.test: connected to nothing, error: getaddrinfo ENOTFOUND bare.test
half.test: connected to nothing, error: getaddrinfo ENOTFOUND gone.test
dot.test: connected to 127.0.0.99:5223 127.0.0.99:5222, error: none
EXPECTED
