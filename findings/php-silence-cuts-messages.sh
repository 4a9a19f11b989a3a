#!/usr/bin/env bash
# Software: PHP 8.2.36 (Debian 12), blocking stream sockets with fgets, fread, stream_get_contents.
# Behaviour: after default_socket_timeout (60 seconds) without a byte each of them returns what it
#   has, as if it were whole: fgets gives half a line, and then the other half as a line of its
#   own; stream_get_contents($s, 9) gives 7 bytes. With nothing there, fgets is false, as
#   at the end. There is no error and no warning, and feof is false. stream_get_line keeps the half.
# A good guess is wrong: the stream is in blocking mode, and the setting is known as the time to
#   connect. One expects that a blocking read blocks, or fails; the usual loop
#   `while (($line = fgets($s)) !== false)` ends for good when the peer is silent for a minute.
# What a peer does about it: write a message in one piece, and something every 30 seconds. In PHP
#   say stream_set_timeout, ask stream_get_meta_data($s)['timed_out'] after each read, and take a
#   line without its line feed for a part.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

need() { # installs a Debian package unless it is there, and prints its version
    local state
    state=$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null || true)
    if [ "$state" != installed ]; then
        apt-get update -q >/dev/null
        apt-get install -y -q "$1" >/dev/null 2>&1
    fi
    dpkg-query -W "$1"
}
need php-cli
php -r 'echo "PHP ", PHP_VERSION, "\n";'

cat > "$dir/read.php" <<'PHP'
<?php
function show(string $what, $got): void
{
    global $reader;
    $rest = feof($reader) ? 'the end' : 'no end';
    $rest .= stream_get_meta_data($reader)['timed_out'] ? ', timed out' : '';
    echo "$what: ", json_encode($got), " ($rest)\n";
}

$listener = stream_socket_server('tcp://127.0.0.1:0');
$writer = stream_socket_client('tcp://' . stream_socket_get_name($listener, false));
$reader = stream_socket_accept($listener);
echo 'blocked: ', json_encode(stream_get_meta_data($reader)['blocked']), "\n";
show('fgets, nothing there', fgets($reader));
show('fread, nothing there', fread($reader, 10));
fwrite($writer, 'hel');
show('fgets, half a line', fgets($reader));
fwrite($writer, "lo\n");
show('fgets, the rest', fgets($reader));
fwrite($writer, "1234567");
show('stream_get_contents, 7 of 9 bytes', stream_get_contents($reader, 9));
fwrite($writer, 'hel');
show('stream_get_line, half a line', stream_get_line($reader, 100, "\n"));
fwrite($writer, "lo\n");
show('stream_get_line, the rest', stream_get_line($reader, 100, "\n"));
PHP

{
    php -r 'echo "default_socket_timeout: ", ini_get("default_socket_timeout"), "\n";'
    # One second, so that this script does not take minutes.
    timeout 60 php -d default_socket_timeout=1 "$dir/read.php"
} > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
default_socket_timeout: 60
blocked: true
fgets, nothing there: false (no end, timed out)
fread, nothing there: false (no end, timed out)
fgets, half a line: "hel" (no end, timed out)
fgets, the rest: "lo\n" (no end)
stream_get_contents, 7 of 9 bytes: "1234567" (no end, timed out)
stream_get_line, half a line: false (no end, timed out)
stream_get_line, the rest: "hello" (no end)
EXPECTED
