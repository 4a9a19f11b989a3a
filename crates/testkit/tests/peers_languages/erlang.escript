#!/usr/bin/env escript
%% Answers each message with its bytes in reverse order, over gen_tcp with the given options:
%% erlang.escript OPTIONS listen | connect PORT
%% Sends messages of zeros, of the given sizes, and the message "end":
%% erlang.escript OPTIONS send SIZE,SIZE connect PORT
-mode(compile).

main([Options, "listen"]) ->
    {ok, Listener} = gen_tcp:listen(0, [{ip, {127, 0, 0, 1}} | options(Options)]),
    {ok, Port} = inet:port(Listener),
    io:format("~b~n", [Port]),
    {ok, Socket} = gen_tcp:accept(Listener),
    mirror(Socket);
main([Options, "connect", Port]) ->
    mirror(connect(Options, Port));
main([Options, "send", Sizes, "connect", Port]) ->
    Socket = connect(Options, Port),
    Send = fun(Message) -> io:format("~p~n", [gen_tcp:send(Socket, Message)]) end,
    [Send(binary:copy(<<0>>, list_to_integer(Size))) || Size <- string:lexemes(Sizes, ",")],
    Send(<<"end">>),
    gen_tcp:close(Socket).

options(Text) ->
    {ok, Tokens, _} = erl_scan:string(Text ++ "."),
    {ok, Options} = erl_parse:parse_term(Tokens),
    [binary, {active, false}, {nodelay, true}, {exit_on_close, false} | Options].

connect(Options, Port) ->
    {ok, Socket} = gen_tcp:connect({127, 0, 0, 1}, list_to_integer(Port), options(Options)),
    Socket.

mirror(Socket) ->
    case gen_tcp:recv(Socket, 0) of
        {ok, Message} ->
            ok = gen_tcp:send(Socket, reversed(Message)),
            mirror(Socket);
        {error, Reason} ->
            io:format("~p~n", [Reason]),
            gen_tcp:close(Socket)
    end.

%% A line keeps its line feed, which stays at its end.
reversed(Message) ->
    Bytes = binary_to_list(Message),
    list_to_binary(case lists:suffix("\n", Bytes) of
        true -> lists:reverse(lists:droplast(Bytes)) ++ "\n";
        false -> lists:reverse(Bytes)
    end).
