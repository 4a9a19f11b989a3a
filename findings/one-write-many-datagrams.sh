#!/usr/bin/env bash
# Software: bash 5.2.15, Perl 5.36.0, gawk 5.2.1, Ruby 3.1.2, netcat-openbsd 1.219,
#   netcat-traditional 1.10, ncat 7.93, socat 1.7.4.4 (Debian 12).
# Behaviour: what a program writes at once to a UDP socket leaves as several datagrams. bash sends
#   one for each line, and 4,096 bytes at most; Perl's print (autoflush on) 8,192; gawk 16,384;
#   Ruby's puts and print one for each argument; the netcats and socat 16,384 or 8,192 of their
#   input.
# A good guess is wrong: "one print, one datagram" holds in Lua, PHP and Python, and the writer
#   sees no error. The documentation of the shell's /dev/udp says nothing about lines.
# What a peer does about it: on datagrams, do not take "one datagram" for "one message" from such
#   senders: a JSON text with a line feed inside comes in two. Ask for send or syswrite (Perl),
#   for cat behind bash (one write up to its buffer), for write with all arguments at once (Ruby).
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

for package in bash perl gawk ruby netcat-openbsd netcat-traditional ncat socat; do
    need "$package"
done

cat > "$dir/sink.py" <<'PY'
import os
import socket
import sys

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("127.0.0.1", 0))
with open(sys.argv[1] + ".part", "w") as file:
    file.write(str(sock.getsockname()[1]))
os.rename(sys.argv[1] + ".part", sys.argv[1])
sizes = []
while (data := sock.recv(65536)) != b"the end":
    sizes.append(len(data))
print(*sizes)
PY

# Runs a command that sends to $PORT, and prints the sizes of the datagrams that came.
sizes() {
    local name=$1
    shift
    rm -f "$dir/port"
    python3 "$dir/sink.py" "$dir/port" > "$dir/sizes" &
    until [ -e "$dir/port" ]; do sleep 0.02; done
    PORT=$(cat "$dir/port")
    export PORT
    "$@" >/dev/null 2>&1 || true
    sleep 0.2
    python3 -c 'import os, socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"the end", ("127.0.0.1", int(os.environ["PORT"])))'
    wait
    echo "$name: $(cat "$dir/sizes")"
}

{
    sizes 'bash printf, two lines' bash -c 'printf "{\n}" > /dev/udp/127.0.0.1/$PORT'
    sizes 'bash printf, 20000 bytes' bash -c 'printf "%020000d" 0 > /dev/udp/127.0.0.1/$PORT'
    sizes 'Perl print, 20000 bytes' perl -MIO::Socket::INET -e '
        my $s = IO::Socket::INET->new(PeerAddr => "127.0.0.1:$ENV{PORT}", Proto => "udp");
        print $s "x" x 20000;'
    sizes 'gawk printf, 20000 bytes' gawk 'BEGIN {
        s = "/inet/udp/0/127.0.0.1/" ENVIRON["PORT"]
        printf "%020000d", 0 |& s; close(s) }'
    sizes 'Ruby puts, two strings' ruby -rsocket -e '
        s = UDPSocket.new; s.connect("127.0.0.1", ENV["PORT"]); s.puts "abcd", "ef"'
    sizes 'Ruby print, two strings' ruby -rsocket -e '
        s = UDPSocket.new; s.connect("127.0.0.1", ENV["PORT"]); s.print "abcd", "ef"'
    head -c 20000 /dev/zero > "$dir/body"
    for tool in 'nc.openbsd -u -q0' 'nc.traditional -u -q0' 'ncat -u --send-only'; do
        # shellcheck disable=SC2016
        sizes "${tool%% *}, 20000 bytes" bash -c "timeout 2 $tool 127.0.0.1 \$PORT < $dir/body"
    done
    sizes 'socat, 20000 bytes' bash -c "timeout 2 socat -u - UDP:127.0.0.1:\$PORT < $dir/body"
} > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
bash printf, two lines: 2 1
bash printf, 20000 bytes: 4096 4096 4096 4096 3616
Perl print, 20000 bytes: 8192 8192 3616
gawk printf, 20000 bytes: 16384 3616
Ruby puts, two strings: 5 3
Ruby print, two strings: 4 2
nc.openbsd, 20000 bytes: 16384 3616
nc.traditional, 20000 bytes: 8192 8192 3616
ncat, 20000 bytes: 8192 8192 3616
socat, 20000 bytes: 8192 8192 3616
EXPECTED
