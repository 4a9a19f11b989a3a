#!/usr/bin/env bash
# Software: CPython 3.11.7, asyncio.StreamReader.readline.
# Behaviour: after a line above the limit (64 KiB) readline raises ValueError and throws away what
#   it has *read so far*. When the line came in several reads, the next call raises again or gives
#   the end of the long line as a line of its own: here "tail\n" is no line that a peer sent.
# A good guess is wrong: one expects that the whole line is skipped (as the source tries to when
#   its end is there already), or that the reader stays unusable.
# What a peer does about it: after ValueError from readline close the connection, or read on to
#   the next line feed and throw that away as well. readuntil leaves the buffer as it was. A peer
#   that sends lines stays below 64 KiB.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 --version

cat > "$dir/read.py" <<'PY'
import asyncio


async def main():
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    async def serve(reader, writer):
        seen = []
        while not seen or seen[-1] != "ok":
            try:
                seen.append((await reader.readline()).decode().strip())
            except ValueError:
                # How often depends on how many reads the line took.
                if seen[-1:] != ["ValueError"]:
                    seen.append("ValueError")
        writer.close()
        done.set_result(seen)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"first\n" + b"x" * 200_000)
    await writer.drain()
    await asyncio.sleep(0.5)
    writer.write(b"tail\nok\n")
    print(*await asyncio.wait_for(done, 10))
    writer.close()


asyncio.run(main())
PY

python3 "$dir/read.py" > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
first ValueError tail ok
EXPECTED
