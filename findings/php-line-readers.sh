#!/usr/bin/env bash
# Software: PHP 8.2.36 (Debian 12), stream_get_line and socket_read with PHP_NORMAL_READ.
# Behaviour: stream_get_line($s, 5, "\n") gives a line of exactly 5 bytes, and then an empty line
#   that nobody sent: its line feed. Longer lines come in pieces that nothing tells from lines.
#   With PHP_NORMAL_READ a CR ends a line as well, and both marks stay: "abc\r\n" comes as "abc\r"
#   and "\n".
# A good guess is wrong: the length is taken for a bound on memory, not for a way to cut; and a
#   line reader for sockets is expected to know CR LF as one end.
# What a peer does about it: an empty line from or to PHP is not a safe end mark where a line may
#   reach the limit. PHP readers use fgets without a length, and look for the final "\n" before
#   they believe.
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
[$left, $right] = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
fwrite($right, "four\nfives\nend\n");
fwrite($right, "longer line\nend\n");
stream_socket_shutdown($right, STREAM_SHUT_WR);
while (($line = stream_get_line($left, 5, "\n")) !== false) {
    $lines[] = $line;
}
echo 'stream_get_line: ', json_encode($lines), "\n";

socket_create_pair(AF_UNIX, SOCK_STREAM, 0, $pair);
socket_write($pair[0], "abc\r\ndef\n");
for ($i = 0; $i < 3; $i++) {
    $read[] = socket_read($pair[1], 100, PHP_NORMAL_READ);
}
echo 'PHP_NORMAL_READ: ', json_encode($read), "\n";
PHP

php "$dir/read.php" > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
stream_get_line: ["four","fives","","end","longe","r lin","e","end"]
PHP_NORMAL_READ: ["abc\r","\n","def\n"]
EXPECTED
