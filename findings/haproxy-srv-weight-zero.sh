#!/usr/bin/env bash
# Software: HAProxy 2.6.12 (server-template with SRV records), dnsmasq 2.90 (Debian 12).
# Behaviour: a server from a record with weight 0 gets no connection, also where all have 0:
#   HAProxy says UP for each and closes every client. Weights from 1 to 256 are all the same to it
#   (10 and 90 share evenly), since 65,535 is scaled to 256. The priority is not looked at:
#   records of priority 10 and 20 share the clients. Of an answer that was cut at 512 bytes (20
#   records) it takes the part for the whole, without asking over TCP.
# A good guess is wrong: RFC 2782 wants weight 0 where there is nothing to choose, and zone files
#   mostly have it; there 10 and 90 mean a tenth and nine tenths, priority 20 is the reserve, and
#   a cut answer is asked for again.
# What a peer does about it: publish weights in multiples of 256 for HAProxy, never 0, and no
#   reserve under the same name. In HAProxy say accepted_payload_size 8192, and look at
#   srv_uweight in `show servers state`: a `weight` in the server-template line does not help, the
#   record's 0 replaces it.
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
need haproxy
need dnsmasq-base
need socat
PATH=$PATH:/usr/sbin

# Twenty servers that say their number, and a free port for the DNS.
cat > "$dir/servers.py" <<'PY'
import socket
import threading


def serve(listener, number):
    while True:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"%d\n" % number)


listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(20)]
with socket.socket(type=socket.SOCK_DGRAM) as probe:
    probe.bind(("127.0.0.1", 0))
    free = probe.getsockname()[1]
for number, listener in enumerate(listeners):
    threading.Thread(target=serve, args=(listener, number), daemon=True).start()
print(*(listener.getsockname()[1] for listener in listeners), free, flush=True)
threading.Event().wait()
PY
mkfifo "$dir/ports"
python3 "$dir/servers.py" > "$dir/ports" &
started+=($!)
read -ra ports < "$dir/ports"

{
    printf '%s\n' no-resolv no-hosts listen-address=127.0.0.1 bind-interfaces "port=${ports[20]}" \
        host-record=server.test,127.0.0.1
    record() { echo "srv-host=_s._tcp.$1.test,server.test,${ports[$2]},$3,$4"; } # priority, weight
    record zero 0 10 0
    record zero 1 10 0
    record ten 0 10 10
    record ten 1 10 90
    record scaled 0 10 2560
    record scaled 1 10 23040
    record reserve 0 10 256
    record reserve 1 20 256
    for i in {0..19}; do
        echo "host-record=server-with-number-$i.test,127.0.0.1"
        echo "srv-host=_s._tcp.twenty.test,server-with-number-$i.test,${ports[i]},10,256"
    done
} > "$dir/dnsmasq.conf"
dnsmasq --keep-in-foreground --conf-file="$dir/dnsmasq.conf" --pid-file="$dir/dnsmasq.pid" \
    2> "$dir/dnsmasq.log" &
started+=($!)

names=(zero ten scaled reserve twenty)
{
    cat <<CONFIG
global
  stats socket $dir/admin
resolvers dns
  nameserver one 127.0.0.1:${ports[20]}
  timeout resolve 1s
  timeout retry 1s
defaults
  mode tcp
  balance roundrobin
  timeout connect 1s
  timeout client 5s
  timeout server 5s
CONFIG
    for name in "${names[@]}"; do
        printf 'listen %s\n  bind unix@%s\n' "$name" "$dir/$name"
        echo "  server-template s 20 _s._tcp.$name.test resolvers dns init-addr none"
    done
} > "$dir/haproxy.cfg"
haproxy -f "$dir/haproxy.cfg" 2> "$dir/haproxy.log" &
started+=($!)

up() { # how many servers HAProxy says are up
    echo "show servers state $1" | socat -t2 - "UNIX:$dir/admin" 2>/dev/null |
        awk '$6 == 2' | grep -c . || true
}
for i in {1..100}; do
    if [ "$(up zero)$(up ten)$(up scaled)$(up reserve)" = 2222 ] && [ "$(up twenty)" -gt 1 ]; then
        break
    fi
    sleep 0.1
done

for name in "${names[@]}"; do
    echo "$name: $(up "$name") up"
    if [ "$name" != twenty ]; then
        for i in {1..20}; do
            socat -u "UNIX:$dir/$name" - < /dev/null 2>/dev/null || true
        done > "$dir/answers"
        for number in 0 1; do
            count=$(grep -c "^$number\$" "$dir/answers" || true)
            echo "$name: server $number has $count of 20 clients"
        done
    fi
done > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
zero: 2 up
zero: server 0 has 0 of 20 clients
zero: server 1 has 0 of 20 clients
ten: 2 up
ten: server 0 has 10 of 20 clients
ten: server 1 has 10 of 20 clients
scaled: 2 up
scaled: server 0 has 2 of 20 clients
scaled: server 1 has 18 of 20 clients
reserve: 2 up
reserve: server 0 has 10 of 20 clients
reserve: server 1 has 10 of 20 clients
twenty: 10 up
EXPECTED
