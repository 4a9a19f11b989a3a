#!/usr/bin/env bash
# Software: CPython 3.11 logging.handlers.SysLogHandler with SOCK_STREAM, Perl Sys::Syslog 0.36
#   with "tcp" (Perl 5.36.0), for comparison npm syslog-client 1.1.1 and logger of util-linux
#   2.38.1.
# Behaviour: over TCP, CPython ends each message with a NUL byte, without a line feed and without
#   a count. Perl ends it with NUL, and puts a line feed before that only where the text has none
#   yet.
# A good guess is wrong: RFC 6587 knows the octet count and the line feed, and one expects the
#   line feed; a receiver that splits at LF sees all messages of a connection as one line, or cuts
#   a message at a line feed of its text and leaves the NUL at the start of the next.
# What a peer does about it: a receiver of syslog over TCP takes NUL as an end beside LF, and
#   bounds the length of what it gathers. In Python set append_nul = False and end the message in
#   a format.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$dir"' EXIT
python3 --version
perl -MSys::Syslog -e 'print "Perl $^V, Sys::Syslog $Sys::Syslog::VERSION\n"'
node --version
logger --version
npm install --silent --no-audit --no-fund --prefix "$dir" syslog-client@1.1.1

cat > "$dir/receiver.py" <<'PY'
import re
import socket

listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
connection, _ = listener.accept()
data = b""
while piece := connection.recv(4096):
    data += piece
# What differs from run to run: the header between the priority and the text.
print(re.sub(rb"(<\d+>).*?(one|three)", rb"\1 \2", data))
PY
cat > "$dir/python.py" <<'PY'
import logging.handlers
import socket
import sys

handler = logging.handlers.SysLogHandler(("127.0.0.1", int(sys.argv[1])), socktype=socket.SOCK_STREAM)
log = logging.getLogger("findings")
log.addHandler(handler)
log.warning("one\ntwo")
log.warning("three")
PY
cat > "$dir/perl.pl" <<'PERL'
use Sys::Syslog qw(:standard :extended);
setlogsock({type => 'tcp', host => '127.0.0.1', port => $ARGV[0]});
openlog('findings', 'ndelay', 'user');
syslog('info', "one\ntwo");
syslog('info', 'three');
closelog();
PERL
cat > "$dir/client.cjs" <<'JS'
const syslog = require('syslog-client')
const client = syslog.createClient('127.0.0.1',
  { port: +process.argv[2], transport: syslog.Transport.Tcp })
client.log('one\ntwo', () => client.log('three', () => client.close()))
JS

sent() {
    local name=$1
    shift
    rm -f "$dir/out"
    timeout 20 python3 "$dir/receiver.py" > "$dir/out" &
    until [ -s "$dir/out" ]; do sleep 0.05; done
    port=$(head -n 1 "$dir/out")
    "${@//PORT/$port}"
    wait
    echo "$name: $(tail -n +2 "$dir/out")"
}

{
    sent CPython python3 "$dir/python.py" PORT
    sent Perl perl "$dir/perl.pl" PORT
    sent 'syslog-client' node "$dir/client.cjs" PORT
    sent logger logger --tcp --server 127.0.0.1 --port PORT --rfc3164 three
} > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
CPython: b'<12> one\ntwo\x00<12> three\x00'
Perl: b'<14> one\ntwo\x00<14> three\n\x00'
syslog-client: b'<134> one\ntwo\n<134> three\n'
logger: b'<13> three\n'
EXPECTED
