#!/usr/bin/env bash
# Software: PostgreSQL 15 (Debian), with the configuration that initdb writes: no keytab, no TLS.
# Behaviour: a request for TLS is answered with `N`, and the conversation goes on without. A request
#   for GSSAPI encryption is answered with `G`, "go on", although there is no keytab and no line for
#   it in pg_hba.conf; a startup message behind that gets no answer, and the server keeps the
#   connection. A startup message in the same segment as the request for TLS is refused, also where
#   the answer is `N`.
# A good guess is wrong: one expects that a server without Kerberos answers `N`, as one without
#   certificates does, so that a client may ask for whatever it would like; and that a client that
#   takes either answer may send both messages at once.
# What a peer does about it: ask for GSSAPI only with a ticket at hand, take `G` as a promise of
#   nothing, and connect anew when the exchange fails. Read the one byte before anything more is
#   sent, and no more bytes than that one.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill -QUIT $(jobs -p) 2>/dev/null || true; wait; rm -rf "$dir"' EXIT
bin=/usr/lib/postgresql/15/bin
[ -x $bin/postgres ] || {
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-15 >/dev/null 2>&1
}
$bin/postgres --version
chown postgres "$dir"
as=(setpriv --reuid=postgres --regid=postgres --clear-groups)
cd "$dir"
"${as[@]}" $bin/initdb -D "$dir/data" -U postgres -A trust -N >/dev/null
port=$(python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
# authentication_timeout is shorter than its minute, since the server waits for it when it ends.
"${as[@]}" $bin/postgres -D "$dir/data" -p "$port" -h 127.0.0.1 -k '' -c authentication_timeout=6 \
    >"$dir/log" 2>&1 &
until grep -q 'ready to accept' "$dir/log"; do sleep 0.1; done

cat > "$dir/ask.py" <<'PY'
import socket
import struct
import sys

TLS, GSS = struct.pack(">II", 8, 80877103), struct.pack(">II", 8, 80877104)
parameters = b"user\0postgres\0\0"
STARTUP = struct.pack(">II", 8 + len(parameters), 196608) + parameters


def heard(connection):
    """What comes until nothing has come for two seconds, as far as it tells something."""
    connection.settimeout(2)
    out = b""
    try:
        while part := connection.recv(65536):
            out += part
    except TimeoutError:
        pass
    if b"application_name" in out:
        return "a greeting"
    if b"FATAL" in out:
        return f"{out[:1].decode()} and the error {out[out.index(b'C08') + 1 :][:5].decode()}"
    return out.decode() or "nothing"


def ask(name, *writes):
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as connection:
        seen = []
        for write in writes:
            connection.sendall(write)
            seen.append(heard(connection))
        print(f"{name}:", ", ".join(seen))


ask("TLS, then startup", TLS, STARTUP)
ask("GSSAPI, then startup", GSS, STARTUP)
ask("TLS and startup in one write", TLS + STARTUP)
PY
python3 "$dir/ask.py" "$port" > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
TLS, then startup: N, a greeting
GSSAPI, then startup: G, nothing
TLS and startup in one write: N and the error 08P01
EXPECTED
