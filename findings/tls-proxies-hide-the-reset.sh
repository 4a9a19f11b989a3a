#!/usr/bin/env bash
# Software: stunnel 5.68, HAProxy 2.6.12, nginx 1.22.1 (stream), socat 1.7.4.4, CPython 3.11 ssl
#   (Debian 12), each of the first four as a TLS server in front of a plain TCP server.
# Behaviour: the backend resets its connection in the middle of an answer. stunnel, HAProxy, nginx
#   and socat end the TLS stream with a close_notify, as if the answer were whole. With
#   `proxy_half_close on` nginx sends no close_notify at any end, also of an answer that is whole.
# A good guess is wrong: close_notify is there so that a cut can be told from an end. One expects
#   that a TLS server which saw a reset passes it on as a reset, and that every orderly end has a
#   close_notify.
# What a peer does about it: it does not take close_notify for "whole". It needs a length, a last
#   frame or a digest inside of the stream, and it does not insist on close_notify where nginx may
#   stand before the server.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$dir"' EXIT

need() { # installs a Debian package unless it is there, and prints its version
    local state
    state=$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null || true)
    if [ "$state" != installed ]; then
        apt-get update -q >/dev/null
        DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -q "$1" >/dev/null 2>&1
    fi
    dpkg-query -W "$1"
}
for package in stunnel4 haproxy nginx-light libnginx-mod-stream socat openssl; do
    need "$package"
done
python3 --version

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
    -keyout "$dir/key.pem" -out "$dir/cert.pem" 2>/dev/null
cat "$dir/key.pem" "$dir/cert.pem" > "$dir/both.pem"

# The backend answers `reset` with 100,000 bytes and a reset, and anything else with 100,000 bytes
# and an end.
cat > "$dir/backend.py" <<'PY'
import socket
import struct
import threading
import time


def serve(connection):
    request = connection.recv(65536)
    connection.sendall(b"x" * 100_000)
    time.sleep(0.5)
    if request == b"reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
PY
cat > "$dir/client.py" <<'PY'
import socket
import ssl
import sys

context = ssl.create_default_context(cafile=sys.argv[1])
context.check_hostname = False
plain = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
come, go = ssl.MemoryBIO(), ssl.MemoryBIO()
tls = context.wrap_bio(come, go)


def until_done(step):
    while True:
        try:
            done = step()
            plain.sendall(go.read())
            return done
        except ssl.SSLWantReadError:
            plain.sendall(go.read())
            if data := plain.recv(65536):
                come.write(data)
            else:
                come.write_eof()


until_done(tls.do_handshake)
tls.write(sys.argv[3].encode())
length = 0
try:
    while data := until_done(lambda: tls.read(65536)):
        length += len(data)
    print(length, "bytes and close_notify")
except ssl.SSLZeroReturnError:
    print(length, "bytes and close_notify")
except ssl.SSLEOFError:
    print(length, "bytes and no close_notify")
except OSError as error:
    print(length, "bytes and", type(error).__name__)
PY

timeout 150 python3 "$dir/backend.py" > "$dir/backend" &
until [ -s "$dir/backend" ]; do sleep 0.05; done
backend=$(head -n 1 "$dir/backend")
free() { python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
stunnel=$(free) haproxy=$(free) nginx=$(free) half=$(free) socat=$(free)

cat > "$dir/stunnel.conf" <<CONF
foreground = yes
pid =
[plain]
accept = 127.0.0.1:$stunnel
connect = 127.0.0.1:$backend
cert = $dir/both.pem
CONF
cat > "$dir/haproxy.cfg" <<CONF
defaults
    mode tcp
    timeout client 20s
    timeout server 20s
    timeout connect 5s
listen plain
    bind 127.0.0.1:$haproxy ssl crt $dir/both.pem
    server backend 127.0.0.1:$backend
CONF
cat > "$dir/nginx.conf" <<CONF
daemon off;
pid $dir/nginx.pid;
error_log $dir/nginx.log;
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
events {}
stream {
    ssl_certificate $dir/cert.pem;
    ssl_certificate_key $dir/key.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    server { listen 127.0.0.1:$nginx ssl; proxy_pass 127.0.0.1:$backend; }
    server { listen 127.0.0.1:$half ssl; proxy_pass 127.0.0.1:$backend; proxy_half_close on; }
}
CONF
timeout 150 stunnel "$dir/stunnel.conf" 2> "$dir/stunnel.log" &
timeout 150 haproxy -db -f "$dir/haproxy.cfg" > "$dir/haproxy.log" 2>&1 &
timeout 150 nginx -e "$dir/nginx.log" -c "$dir/nginx.conf" &
timeout 150 socat "OPENSSL-LISTEN:$socat,bind=127.0.0.1,fork,reuseaddr,cert=$dir/both.pem,verify=0" \
    "TCP:127.0.0.1:$backend" 2> "$dir/socat.log" &
for port in $stunnel $haproxy $nginx $half $socat; do
    until (: < "/dev/tcp/127.0.0.1/$port") 2>/dev/null; do sleep 0.1; done
done
# What those probes left at the backend.
sleep 1

for proxy in stunnel haproxy nginx half socat; do
    for what in whole reset; do
        echo "$proxy, $what: $(timeout 20 python3 "$dir/client.py" "$dir/cert.pem" "${!proxy}" "$what")"
    done
done | tee "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
stunnel, whole: 100000 bytes and close_notify
stunnel, reset: 100000 bytes and close_notify
haproxy, whole: 100000 bytes and close_notify
haproxy, reset: 100000 bytes and close_notify
nginx, whole: 100000 bytes and close_notify
nginx, reset: 100000 bytes and close_notify
half, whole: 100000 bytes and no close_notify
half, reset: 100000 bytes and no close_notify
socat, whole: 100000 bytes and close_notify
socat, reset: 100000 bytes and close_notify
EXPECTED
