#!/usr/bin/env bash
# Software: Erlang/OTP 25 (erts 13.1.5, Debian 12), gen_tcp with {packet, line} and {packet,
#   sunrm}.
# Behaviour: in line mode a line longer than `buffer` (1,460 bytes by default) is delivered in
#   pieces, each as a message of its own, without an error; only the last piece ends in a line
#   feed. With packet_size set it is emsgsize and the connection is closed. {packet, sunrm} (RPC
#   record marking) leaves the 4-byte header in front of each fragment, does not join the
#   fragments, and on sending adds nothing, unlike {packet, 4}.
# A good guess is wrong: one expects a whole line or an error, as 4-byte mode does for long
#   frames; and of "sunrm" that it does for RPC records what {packet, 4} does for frames.
# What a peer does about it: a sender of lines to Erlang stays below 1,460 bytes; an Erlang
#   receiver raises {buffer, N} and joins until the line feed. Over sunrm read and write the
#   header by hand.
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
need erlang-base

cat > "$dir/modes.erl" <<'ERL'
-module(modes).
-export([main/0]).

main() ->
    Lines = [binary:copy(<<"a">>, 3000), <<"\nnext\n">>],
    io:format("line: ~p~n", [sizes([{packet, line}], Lines)]),
    io:format("line, packet_size 100: ~p~n", [sizes([{packet, line}, {packet_size, 100}], Lines)]),
    io:format("line, buffer 8192: ~p~n", [sizes([{packet, line}, {buffer, 8192}], Lines)]),
    Record = <<0, 0, 0, 3, "abc", 128, 0, 0, 2, "de">>,
    io:format("sunrm: ~p~n", [read([{packet, sunrm}], Record)]),
    io:format("sunrm sends: ~p~n", [sent([{packet, sunrm}])]),
    io:format("4 sends: ~p~n", [sent([{packet, 4}])]),
    halt().

listen(Options) ->
    {ok, Listener} = gen_tcp:listen(0, [binary, {active, false}, {ip, {127, 0, 0, 1}} | Options]),
    {ok, Port} = inet:port(Listener),
    {Listener, Port}.

read(Options, Bytes) ->
    {Listener, Port} = listen(Options),
    {ok, Client} = gen_tcp:connect({127, 0, 0, 1}, Port, [binary]),
    ok = gen_tcp:send(Client, Bytes),
    {ok, Socket} = gen_tcp:accept(Listener),
    timer:sleep(200),
    ok = gen_tcp:shutdown(Client, write),
    all(Socket).

all(Socket) ->
    case gen_tcp:recv(Socket, 0, 5000) of
        {ok, Message} -> [Message | all(Socket)];
        {error, Reason} -> [Reason]
    end.

sizes(Options, Bytes) ->
    [case Part of
         _ when is_atom(Part) -> Part;
         _ -> byte_size(Part)
     end || Part <- read(Options, Bytes)].

sent(Options) ->
    {Listener, Port} = listen([]),
    {ok, Client} = gen_tcp:connect({127, 0, 0, 1}, Port, [binary | Options]),
    ok = gen_tcp:send(Client, <<"abc">>),
    {ok, Socket} = gen_tcp:accept(Listener),
    {ok, Bytes} = gen_tcp:recv(Socket, 0, 5000),
    Bytes.
ERL
erlc -o "$dir" "$dir/modes.erl"
ERL_CRASH_DUMP=/dev/null timeout 60 erl -noshell -noinput -pa "$dir" -run modes main > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
line: [1460,1460,81,5,closed]
line, packet_size 100: [emsgsize]
line, buffer 8192: [3001,5,closed]
sunrm: [<<0,0,0,3,97,98,99>>,<<128,0,0,2,100,101>>,closed]
sunrm sends: <<"abc">>
4 sends: <<0,0,0,3,97,98,99>>
EXPECTED
