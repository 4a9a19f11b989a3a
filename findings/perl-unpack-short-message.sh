#!/usr/bin/env bash
# Software: Perl 5.36.0 (Debian 12), pack and unpack with a counted string: "n/a*", "N/a*", "w/a*".
# Behaviour: unpack gives what there is when bytes are missing behind the length: five were
#   announced, three came, and the message is "abc", without an error or a warning. pack counts
#   characters: a text with a character above U+00FF has a length that is too small once it is
#   written as UTF-8 (print only warns, and with ":utf8" on the handle it does not).
# A good guess is wrong: Lua's string.unpack ("data string too short") and Python's struct
#   raise, so one takes an answer of unpack for a whole message, and a partial read (or a
#   cut stream) becomes a shorter message. And a count in front of bytes is expected to be bytes.
# What a peer does about it: compare length($buffer) with the announced length before unpack, and
#   pack only what Encode::encode has made bytes. Who receives from Perl takes a length that is too
#   small as possible: the frames behind it are then wrong.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$dir"' EXIT
perl -e 'printf "Perl %vd\n", $^V'

cat > "$dir/peer.py" <<'PY'
import socket

with socket.create_server(("127.0.0.1", 0)) as listener:
    print(listener.getsockname()[1], flush=True)
    connection, _ = listener.accept()
    with connection:
        # The first three of five bytes. The other two wait for a word of the other side.
        connection.sendall(b"\0\5abc")
        connection.recv(1)
        connection.sendall(b"de")
        print(connection.makefile("rb").read(), flush=True)
PY
cat > "$dir/client.pl" <<'PERL'
use strict;
use warnings FATAL => 'all';
use IO::Socket::INET;

$| = 1;
my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => shift) or die $!;
$socket->autoflush(1);
my $buffer = '';
sysread $socket, $buffer, 100, length $buffer while length $buffer < 5;
printf "of five bytes: '%s'\n", unpack 'n/a*', $buffer;
syswrite $socket, '!';
sysread $socket, $buffer, 100, length $buffer while length $buffer < 7;
printf "of five bytes: '%s'\n", unpack 'n/a*', $buffer;
binmode $socket, ':utf8';
print $socket pack 'n/a*', "\x{20ac}1";
PERL

timeout 30 python3 "$dir/peer.py" > "$dir/peer" &
until [ -s "$dir/peer" ]; do sleep 0.05; done
timeout 30 perl "$dir/client.pl" "$(cat "$dir/peer")" > "$dir/seen"
wait
tail -n 1 "$dir/peer" >> "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
of five bytes: 'abc'
of five bytes: 'abcde'
b'\x00\x02\xe2\x82\xac1'
EXPECTED
