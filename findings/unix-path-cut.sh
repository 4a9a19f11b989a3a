#!/usr/bin/env bash
# Software: PHP 8.2, Perl 5.36.0, Node.js 20.20.2 (libuv 1.46), ncat 7.93 (Debian 12).
# Behaviour: a Unix socket path above the kernel's limit (108 bytes) is cut, and the server
#   listens under the shorter name. Perl warns, PHP raises a notice, Node and ncat say nothing,
#   and Node's address() even gives the long name back. Two servers whose long names begin alike
#   collide: the second gets EADDRINUSE, or a client of the one reaches the other.
# A good guess is wrong: one expects an error as in Python, Ruby, Java, Go, Erlang, Lua, curl,
#   socat and netcat-openbsd, or that the path which the server prints exists.
# What a peer does about it: a server checks that its path has at most 107 bytes and that the file
#   is there after listen; a client that gets "no such file" for a longer path says that the name
#   is too long. Keep socket directories short (a long TMPDIR is enough to get here).
set -euo pipefail
base=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$base"' EXIT

need() { # installs a Debian package unless it is there, and prints its version
    local state
    state=$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null || true)
    if [ "$state" != installed ]; then
        apt-get update -q >/dev/null
        apt-get install -y -q "$1" >/dev/null 2>&1
    fi
    dpkg-query -W "$1"
}

for package in php-cli perl ncat ruby; do
    need "$package"
done
node --version

mkdir "$base/d"
path=$base/d/
while [ ${#path} -lt 130 ]; do path+=n; done

look() { # waits for a socket file, says how long its path is, and removes it
    local name=$1 file tries=0
    until file=$(find "$base/d" -type s) && [ -n "$file" ]; do
        tries=$((tries + 1))
        if [ $tries -gt 100 ] || ! kill -0 "$server" 2>/dev/null; then break; fi
        sleep 0.05
    done
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    if [ -n "$file" ]; then
        echo "$name: asked for ${#path} bytes, listens at ${#file}"
    else
        echo "$name: no socket"
    fi
    rm -f "$base"/d/*
}

{
    php -d display_errors=0 -r '$s = stream_socket_server("unix://$argv[1]"); sleep(10);' "$path" &
    server=$!
    look PHP
    perl -MIO::Socket::UNIX -e '
        my $s = IO::Socket::UNIX->new(Local => $ARGV[0], Listen => 1); sleep 10' "$path" &
    server=$!
    look Perl
    node -e 'require("net").createServer().listen(process.argv[1])' "$path" &
    server=$!
    look Node
    ncat -lU "$path" </dev/null &
    server=$!
    look ncat
    ruby -rsocket -e 'UNIXServer.new(ARGV[0]); sleep 10' "$path" &
    server=$!
    look Ruby
    node -e '
        const net = require("net"), [, a, b] = process.argv
        const first = net.createServer(socket => socket.end("first")).listen(a, () => {
          console.log("Node: address() has", first.address().length, "bytes")
          const client = net.connect(b).on("data", data => {
            console.log("Node: a client of a second long name reached the", String(data))
            first.close()
          })
        })' "${path}a" "${path}b"
} > "$base/seen" 2>"$base/warnings"
cat "$base/seen"
sed "s#$base#…#g; s/n\{20,\}/nnn…/g" "$base/warnings"

diff - "$base/seen" <<'EXPECTED' && echo 'as described'
PHP: asked for 130 bytes, listens at 107
Perl: asked for 130 bytes, listens at 108
Node: asked for 130 bytes, listens at 108
ncat: asked for 130 bytes, listens at 108
Ruby: no socket
Node: address() has 131 bytes
Node: a client of a second long name reached the first
EXPECTED
