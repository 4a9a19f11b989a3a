#!/usr/bin/env bash
# Software: netcat-openbsd 1.219, netcat-traditional 1.10, ncat 7.93, socat 1.7.4.4, Ruby 3.1.2,
#   PHP 8.2, Perl 5.36.0 (Debian 12).
# Behaviour: an empty UDP datagram is taken for the end of the stream. Both netcats stop reading
#   from the socket (they go on running, and later datagrams are lost). In Ruby readpartial raises
#   EOFError, in PHP feof() is true from then on, though in both the next read gives the next
#   datagram. In Perl read gives 0 for good, and what comes later stays unread. ncat and socat
#   leave the empty one out.
# A good guess is wrong: "a datagram socket has no end, so zero bytes is an empty message" is what
#   the kernel says; the stream-shaped reading functions of the languages and tools say otherwise.
# What a peer does about it: do not use the empty datagram as a message, a keep-alive or a probe
#   for unknown receivers. Receivers use recv or recvfrom (Ruby, Perl) and stream_socket_recvfrom
#   (PHP), and never loop "until the end" on UDP.
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

for package in netcat-openbsd netcat-traditional ncat socat ruby php-cli perl; do
    need "$package"
done

cat > "$dir/send.py" <<'PY'
import socket
import sys
import time

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for data in (b"one ", b"", b"two "):
    sock.sendto(data, ("127.0.0.1", int(sys.argv[1])))
    time.sleep(0.2)
PY

tool() { # the port is one that was free just now
    local name=$1 port
    shift
    port=$(python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    sleep 3 | timeout 3 "${@//PORT/$port}" > "$dir/bytes" 2>/dev/null &
    until grep -qi "$(printf ':%04X ' "$port")" /proc/net/udp; do sleep 0.05; done
    python3 "$dir/send.py" "$port"
    wait || true
    echo "$name: $(cat "$dir/bytes")"
}

receiver() { # the receiver prints its port, then what it read
    local name=$1
    shift
    rm -f "$dir/out"
    timeout 20 "$@" > "$dir/out" &
    until [ -s "$dir/out" ]; do sleep 0.05; done
    python3 "$dir/send.py" "$(head -n 1 "$dir/out")"
    wait
    echo "$name: $(tail -n +2 "$dir/out" | paste -sd '|')"
}

cat > "$dir/read.rb" <<'RUBY'
require 'socket'
socket = UDPSocket.new
socket.bind('127.0.0.1', 0)
puts socket.addr[1]
$stdout.flush
3.times do
  puts socket.readpartial(100)
rescue EOFError => error
  puts error.class
end
RUBY
cat > "$dir/read.php" <<'PHP'
<?php
$socket = stream_socket_server('udp://127.0.0.1:0', $errno, $message, STREAM_SERVER_BIND);
echo explode(':', stream_socket_get_name($socket, false))[1], "\n";
for ($i = 0; $i < 3; $i++) {
    echo json_encode(fread($socket, 100)), feof($socket) ? ' feof' : '', "\n";
}
PHP
cat > "$dir/read.pl" <<'PERL'
use IO::Socket::INET;
$| = 1;
my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Proto => 'udp');
print $socket->sockport, "\n";
for (1 .. 3) {
    my $length = read($socket, my $data, 100);
    print "$length\n";
}
PERL

{
    tool nc.openbsd nc.openbsd -u -l 127.0.0.1 PORT
    tool nc.traditional nc.traditional -u -l -s 127.0.0.1 -p PORT
    tool ncat ncat -u -l 127.0.0.1 PORT
    tool socat socat -u UDP-RECV:PORT,bind=127.0.0.1 -
    receiver Ruby ruby "$dir/read.rb"
    receiver PHP php "$dir/read.php"
    receiver Perl perl "$dir/read.pl"
} > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
nc.openbsd: one 
nc.traditional: one 
ncat: one two 
socat: one two 
Ruby: one |EOFError|two 
PHP: "one "|"" feof|"two " feof
Perl: 4|0|0
EXPECTED
