#!/usr/bin/env bash
# Software: CPython 3.11 asyncio.Protocol, Twisted 26.10.0, Mojo::IOLoop 9.31, IO::Async 0.802,
#   AnyEvent 7.17, Erlang/OTP 25 gen_tcp, Node.js 20.20.2 net (Debian 12).
# Behaviour: a client sends its request, says FIN (shutdown for writing) and waits. A server that
#   answers 0.5 s later has lost its connection by then: the client gets a clean end after 0
#   bytes, in six of seven. In passive mode Erlang's recv, once it said "closed", has closed the
#   sending side too. When the FIN comes while the answer is being sent, Mojo and IO::Async cut
#   it.
# A good guess is wrong: the kernel's half-close leaves the answer's way open, and asyncio's
#   streams, AnyEvent::Handle and blocking sockets keep it so. The client sees neither reset nor
#   error: an answer that was cut, or never sent, looks whole.
# What a peer does about it: a client keeps its sending side open until it has the answer, and
#   wants a length or an end mark in it. Servers: eof_received() returning True,
#   IHalfCloseableProtocol, {exit_on_close, false}, allowHalfOpen: true, close_on_read_eof => 0.
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

for package in libmojolicious-perl libio-async-perl libanyevent-perl erlang-base; do
    need "$package"
done
python3 --version
node --version
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check Twisted==26.10.0

# Each server prints its port, and answers one request with 30 MB after its argument in seconds.
cat > "$dir/answer_asyncio.py" <<'PY'
import asyncio
import sys


class Answer(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        asyncio.get_running_loop().call_later(float(sys.argv[1]), self.answer)

    def answer(self):
        self.transport.write(b"x" * 30_000_000)
        self.transport.close()


async def main():
    server = await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.sleep(60)


asyncio.run(main())
PY
cat > "$dir/answer_twisted.py" <<'PY'
import sys

from twisted.internet import protocol, reactor


class Answer(protocol.Protocol):
    def dataReceived(self, data):
        reactor.callLater(float(sys.argv[1]), self.answer)

    def answer(self):
        self.transport.write(b"x" * 30_000_000)
        self.transport.loseConnection()


factory = protocol.Factory.forProtocol(Answer)
print(reactor.listenTCP(0, factory, interface="127.0.0.1").getHost().port, flush=True)
reactor.run()
PY
cat > "$dir/mojo.pl" <<'PERL'
use Mojo::IOLoop;
$| = 1;
my $delay = shift;
my $id = Mojo::IOLoop->server({address => '127.0.0.1', port => 0} => sub {
    my (undef, $stream) = @_;
    $stream->on(read => sub {
        my $answer = sub { $stream->write('x' x 30_000_000 => sub { shift->close_gracefully }) };
        $delay ? Mojo::IOLoop->timer($delay => $answer) : $answer->();
    });
});
print Mojo::IOLoop->acceptor($id)->port, "\n";
Mojo::IOLoop->start;
PERL
cat > "$dir/ioasync.pl" <<'PERL'
use IO::Async::Listener;
use IO::Async::Loop;
use IO::Async::Stream;
$| = 1;
my $delay = shift;
my $loop = IO::Async::Loop->new;
my $listener = IO::Async::Listener->new(on_stream => sub {
    my (undef, $stream) = @_;
    $stream->configure(on_read => sub {
        my (undef, $buffer) = @_;
        return 0 unless $$buffer =~ s/^request\n//;
        my $answer = sub { eval { $stream->write('x' x 30_000_000); $stream->close_when_empty } };
        $delay ? $loop->watch_time(after => $delay, code => $answer) : $answer->();
        return 0;
    });
    $loop->add($stream);
});
$loop->add($listener);
$listener->listen(
    addr => {family => 'inet', socktype => 'stream', ip => '127.0.0.1', port => 0})->get;
print $listener->read_handle->sockport, "\n";
$loop->run;
PERL
cat > "$dir/anyevent.pl" <<'PERL'
use AnyEvent;
use AnyEvent::Handle;
use AnyEvent::Socket;
$| = 1;
my $delay = shift;
my @keep;
my $guard = tcp_server '127.0.0.1', 0, sub {
    my $handle = AnyEvent::Handle->new(fh => shift);
    $handle->push_read(line => sub {
        my $answer = sub { $handle->push_write('x' x 30_000_000); $handle->push_shutdown };
        $delay ? push @keep, AE::timer $delay, 0, $answer : $answer->();
    });
}, sub { print "$_[2]\n"; 0 };
AE::cv->recv;
PERL
cat > "$dir/answer.erl" <<'ERL'
-module(answer).
-export([main/1]).
main([Delay]) ->
    {ok, Listener} = gen_tcp:listen(0, [binary, {active, false}, {ip, {127, 0, 0, 1}}]),
    {ok, Port} = inet:port(Listener),
    io:format("~p~n", [Port]),
    {ok, Socket} = gen_tcp:accept(Listener),
    {ok, <<"request\n">>} = gen_tcp:recv(Socket, 0),
    case Delay of
        "0" -> ok;
        _ -> {error, closed} = gen_tcp:recv(Socket, 0)
    end,
    gen_tcp:send(Socket, binary:copy(<<"x">>, 30000000)),
    gen_tcp:close(Socket),
    timer:sleep(60000).
ERL
erlc -o "$dir" "$dir/answer.erl"
cat > "$dir/answer.cjs" <<'JS'
const delay = 1000 * process.argv[2]
const server = require('net').createServer(socket => {
  const answer = () => socket.end(Buffer.alloc(30_000_000))
  socket.on('data', () => delay ? setTimeout(answer, delay) : answer())
  socket.on('error', () => {})
}).listen(0, '127.0.0.1', () => console.log(server.address().port))
JS

cat > "$dir/client.py" <<'PY'
import socket
import sys
import time

with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as sock:
    sock.sendall(b"request\n")
    size = len(sock.recv(1)) if sys.argv[2] == "0" else 0
    sock.shutdown(socket.SHUT_WR)
    time.sleep(0.5)
    end = "clean end"
    try:
        while data := sock.recv(1 << 16):
            size += len(data)
    except OSError as error:
        end = type(error).__name__
print({0: "nothing", 30_000_000: "all"}.get(size, "a part"), "and a", end)
PY

# First a late answer, then one that is on its way when the FIN comes.
answer() {
    local name=$1 delay said=
    shift
    for delay in 0.5 0; do
        rm -f "$dir/port"
        "$@" "$delay" > "$dir/port" 2>/dev/null &
        server=$!
        until [ -s "$dir/port" ]; do sleep 0.05; done
        said+=" $(python3 "$dir/client.py" "$(head -n 1 "$dir/port")" $delay);"
        kill $server
        wait $server 2>/dev/null || true
    done
    echo "$name:${said%;}"
}

{
    answer 'asyncio.Protocol' python3 "$dir/answer_asyncio.py"
    answer 'Twisted' "$dir/venv/bin/python" "$dir/answer_twisted.py"
    answer 'Mojo::IOLoop' perl "$dir/mojo.pl"
    answer 'IO::Async' perl "$dir/ioasync.pl"
    answer 'AnyEvent::Handle' perl "$dir/anyevent.pl"
    answer 'Erlang gen_tcp' erl -noshell -noinput -pa "$dir" -run answer main
    answer 'Node net' node "$dir/answer.cjs"
} > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
asyncio.Protocol: nothing and a clean end; all and a clean end
Twisted: nothing and a clean end; all and a clean end
Mojo::IOLoop: nothing and a clean end; a part and a clean end
IO::Async: nothing and a clean end; a part and a clean end
AnyEvent::Handle: all and a clean end; all and a clean end
Erlang gen_tcp: nothing and a clean end; all and a clean end
Node net: nothing and a clean end; all and a clean end
EXPECTED
