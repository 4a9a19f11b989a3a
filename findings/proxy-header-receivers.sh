#!/usr/bin/env bash
# Software: receivers of the PROXY protocol: HAProxy 2.6.12 (accept-proxy), Varnish 7.1.1,
#   lighttpd 1.4.69 (mod_extforward), nginx 1.22.1 (Debian 12).
# Behaviour: all but Varnish refuse a header that comes in two segments. HAProxy knows `PROXY
#   UNKNOWN` in its short form only, and refuses version 2 for clients from a Unix socket, over
#   UDP and of unknown kind; Varnish refuses `PROXY UNKNOWN` in both forms. Of additional fields
#   (TLVs) 230 bytes are too many for lighttpd, 330 for Varnish and 1,000 for nginx. What lighttpd
#   has as the address of a client from a Unix socket is the path of that.
# A good guess is wrong: the specification is HAProxy's. It says that whatever stands behind
#   UNKNOWN is to be ignored, and wants receivers that are "tolerant to partial headers"; and one
#   expects of a receiver that takes LOCAL that it takes a kind of client it does not know in the
#   same way. The name of a server, a certificate's common name and a cipher together come to 230
#   bytes easily.
# What a peer does about it: write the header with one call, with no more than 200 bytes of
#   fields. For a client without a TCP address send version 2 with LOCAL: all four take it.
set -euo pipefail
dir=$(mktemp -d)
started=()
trap 'kill "${started[@]}" 2>/dev/null || true; wait; rm -rf "$dir"' EXIT

need() { # installs a package of Debian where it is missing, and prints its version
    local state
    state=$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null || true)
    if [ "$state" != installed ]; then
        apt-get update -q >/dev/null
        DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -q --no-install-recommends \
            "$1" >/dev/null 2>&1
    fi
    dpkg-query -W "$1"
}
for package in haproxy varnish lighttpd nginx-light; do need "$package"; done
python3 --version
PATH=$PATH:/usr/sbin

cat > "$dir/ports.py" <<'PY'
import socket

probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
print(*(probe.getsockname()[1] for probe in probes))
PY
read -ra ports < <(python3 "$dir/ports.py")

cat > "$dir/haproxy.cfg" <<CONF
defaults
  mode http
  timeout client 5s
frontend in
  bind 127.0.0.1:${ports[0]} accept-proxy
  http-request return status 200 content-type text/plain lf-string "who=%[src]"
CONF
haproxy -f "$dir/haproxy.cfg" 2> "$dir/haproxy.log" &
started+=($!)

cat > "$dir/varnish.vcl" <<'CONF'
vcl 4.1;
backend default none;
sub vcl_recv { return (synth(200)); }
sub vcl_synth { synthetic("who=" + client.ip); return (deliver); }
CONF
chmod 755 "$dir"
varnishd -F -a "127.0.0.1:${ports[1]},PROXY" -f "$dir/varnish.vcl" -n "$dir/varnish" \
    > "$dir/varnish.log" 2>&1 &
started+=($!)

mkdir "$dir/root"
cat > "$dir/root/who.cgi" <<'SH'
#!/bin/sh
printf 'Content-Type: text/plain\r\n\r\nwho=%s' "$REMOTE_ADDR"
SH
chmod +x "$dir/root/who.cgi"
cat > "$dir/lighttpd.conf" <<CONF
server.port = ${ports[2]}
server.bind = "127.0.0.1"
server.document-root = "$dir/root"
server.modules = ("mod_extforward", "mod_cgi")
extforward.hap-PROXY = "enable"
extforward.forwarder = ("127.0.0.1" => "trust")
cgi.assign = (".cgi" => "")
server.errorlog = "$dir/lighttpd.log"
CONF
lighttpd -D -f "$dir/lighttpd.conf" &
started+=($!)

cat > "$dir/nginx.conf" <<CONF
daemon off;
pid $dir/nginx.pid;
error_log $dir/nginx.log;
events {}
http {
  access_log off;
  server {
    listen 127.0.0.1:${ports[3]} proxy_protocol;
    location / { return 200 "who=\$proxy_protocol_addr"; }
  }
}
CONF
nginx -c "$dir/nginx.conf" -e "$dir/nginx.log" &
started+=($!)

cat > "$dir/ask.py" <<'PY'
import re
import socket
import struct
import sys
import time


def v2(command, family, addresses=b"", fields=b""):
    length = struct.pack(">H", len(addresses) + len(fields))
    return b"\r\n\r\n\0\r\nQUIT\n" + bytes([0x20 | command, family]) + length + addresses + fields


def noop(length):  # the additional field PP2_TYPE_NOOP, of so many bytes with its head
    return b"\x04" + struct.pack(">H", length - 3) + b"\0" * (length - 3)


ends = socket.inet_aton("192.0.2.1") + socket.inet_aton("192.0.2.2") + struct.pack(">HH", 1, 2)
paths = b"/client".ljust(108, b"\0") + b"/server".ljust(108, b"\0")
v1 = b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"
CASES = {
    "v1": [v1],
    "v1 in two segments": [v1[:20], v1[20:]],
    "v1 UNKNOWN": [b"PROXY UNKNOWN\r\n"],
    "v1 UNKNOWN and more": [b"PROXY UNKNOWN ::1 ::1 1 2\r\n"],
    "v2": [v2(1, 0x11, ends)],
    "v2 in two segments": [v2(1, 0x11, ends)[:20], v2(1, 0x11, ends)[20:]],
    "v2 LOCAL": [v2(0, 0)],
    "v2 LOCAL, fields": [v2(0, 0, fields=noop(100))],
    "v2, fields of 200": [v2(1, 0x11, ends, noop(200))],
    "v2, fields of 250": [v2(1, 0x11, ends, noop(250))],
    "v2, fields of 400": [v2(1, 0x11, ends, noop(400))],
    "v2, fields of 2,000": [v2(1, 0x11, ends, noop(2000))],
    "v2 Unix": [v2(1, 0x31, paths)],
    "v2 UDP": [v2(1, 0x12, ends)],
    "v2 unknown kind": [v2(1, 0x00)],
}


def ask(port, segments):
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for segment in segments:
                connection.sendall(segment)
                time.sleep(0.1)
            connection.sendall(b"GET /who.cgi HTTP/1.0\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(4096), b""))
    except OSError:
        return "refused"
    who = re.search(rb"who=(.*)", answer)
    return who[1].decode() or "empty" if who else "refused"


ports = [int(port) for port in sys.argv[1:]]
deadline = time.monotonic() + 20
while any(ask(port, [v1]) == "refused" for port in ports) and time.monotonic() < deadline:
    time.sleep(0.2)
print(f"{'':20} {'HAProxy':10} {'Varnish':10} {'lighttpd':10} nginx")
for name, segments in CASES.items():
    answers = [ask(port, segments) for port in ports]
    print(f"{name:20} {answers[0]:10} {answers[1]:10} {answers[2]:10} {answers[3]}")
PY
python3 "$dir/ask.py" "${ports[@]}" > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
                     HAProxy    Varnish    lighttpd   nginx
v1                   192.0.2.1  192.0.2.1  192.0.2.1  192.0.2.1
v1 in two segments   refused    192.0.2.1  refused    refused
v1 UNKNOWN           127.0.0.1  refused    127.0.0.1  empty
v1 UNKNOWN and more  refused    refused    127.0.0.1  empty
v2                   192.0.2.1  192.0.2.1  192.0.2.1  192.0.2.1
v2 in two segments   refused    192.0.2.1  refused    refused
v2 LOCAL             127.0.0.1  127.0.0.1  127.0.0.1  empty
v2 LOCAL, fields     127.0.0.1  127.0.0.1  127.0.0.1  empty
v2, fields of 200    192.0.2.1  192.0.2.1  192.0.2.1  192.0.2.1
v2, fields of 250    192.0.2.1  192.0.2.1  refused    192.0.2.1
v2, fields of 400    192.0.2.1  refused    refused    192.0.2.1
v2, fields of 2,000  192.0.2.1  refused    refused    refused
v2 Unix              refused    127.0.0.1  /client    empty
v2 UDP               refused    127.0.0.1  127.0.0.1  empty
v2 unknown kind      refused    127.0.0.1  127.0.0.1  empty
EXPECTED
