#!/usr/bin/env bash
# Software: PyPI asyncssh 2.24.1 as the client (it is the server here too, and sends plain bytes).
# Behaviour: a command whose output is not UTF-8 makes conn.run() *return* an empty stdout, with
#   the exit status 0 (or None, where the exit comes later than the bytes), also with check=True;
#   there is no exception. The text before the bad bytes is gone as well, and the whole SSH
#   connection is closed: other commands on it fail with ChannelOpenError. Output that ends within
#   a character loses that character, and closes the connection as well.
# A good guess is wrong: one expects UnicodeDecodeError from run(), as subprocess gives it, or
#   replacement characters, and at worst the loss of one channel.
# What a peer does about it: run commands with encoding=None (bytes) or errors="replace", and take
#   an exit status of None as a failure. A command server that speaks to such clients sends UTF-8
#   only.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 --version
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check asyncssh==2.24.1

cat > "$dir/run.py" <<'PY'
import asyncio

import asyncssh


class Server(asyncssh.SSHServer):
    def begin_auth(self, username):
        return False


OUTPUT = {"latin-1": b"price\n5 \xa3\n", "cut": b"price\n\xe2\x82", "plain": b"price\n"}


async def command(process):
    process.stdout.write(OUTPUT[process.command])
    await process.stdout.drain()
    process.exit(0)


async def show(connection, name, **options):
    try:
        result = await asyncio.wait_for(connection.run(name, check=True, **options), 10)
        assert result.exit_status in (0, None)
        return f"returns {result.stdout!r}"
    except asyncssh.Error as error:
        return type(error).__name__


async def main():
    key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.listen(
        "127.0.0.1", 0, server_factory=Server, server_host_keys=[key],
        process_factory=command, encoding=None,
    )
    for name in ("latin-1", "cut"):
        for options in ({}, {"errors": "replace"}, {"encoding": None}):
            async with asyncssh.connect(
                "127.0.0.1", server.get_port(), known_hosts=None, username="user",
                client_keys=None, config=None,
            ) as connection:
                first = await show(connection, name, **options)
                await asyncio.sleep(0.2)
                second = await show(connection, "plain", **options)
                print(f"{name} {options}: {first}; next command: {second}")
    server.close()


asyncio.run(main())
PY

timeout 100 "$dir/venv/bin/python" "$dir/run.py" > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
latin-1 {}: returns ''; next command: ChannelOpenError
latin-1 {'errors': 'replace'}: returns 'price\n5 �\n'; next command: returns 'price\n'
latin-1 {'encoding': None}: returns b'price\n5 \xa3\n'; next command: returns b'price\n'
cut {}: returns 'price\n'; next command: ChannelOpenError
cut {'errors': 'replace'}: returns 'price\n'; next command: returns 'price\n'
cut {'encoding': None}: returns b'price\n\xe2\x82'; next command: returns b'price\n'
EXPECTED
