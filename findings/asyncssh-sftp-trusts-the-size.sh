#!/usr/bin/env bash
# Software: PyPI asyncssh 2.24.1, its SFTP client; for comparison paramiko 5.1.0 and sftp of
#   OpenSSH 9.2 (Debian 12). The server is asyncssh's.
# Behaviour: get() and read() without a size ask for the file's size first, and stop there: a file
#   of /proc, whose size is 0, is fetched as an empty file, without an error. read(20) of the same
#   file gives 20 bytes. In text mode read(n) means n bytes, and raises UnicodeDecodeError where
#   these end within a character.
# A good guess is wrong: SFTP has an answer for the end of a file, and the other two read until
#   that comes. One expects the same of a call named read(); and of a text file n characters, as
#   Python's own gives them.
# What a peer does about it: an asyncssh client reads files of a system, and files that grow, in a
#   loop of read(65536) until b"", and opens in "rb". A server of such clients writes what it
#   makes up into a file with a size first.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

need() { # installs a package of Debian where it is missing, and prints its version
    local state
    state=$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null || true)
    if [ "$state" != installed ]; then
        apt-get update -q >/dev/null
        DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$1" >/dev/null 2>&1
    fi
    dpkg-query -W "$1"
}
need openssh-client
python3 --version
python3 -m venv "$dir/python"
"$dir/python/bin/pip" install -q --disable-pip-version-check asyncssh==2.24.1 paramiko==5.1.0

cat > "$dir/fetch.py" <<'PY'
import asyncio
import logging
import pathlib
import subprocess
import sys

import asyncssh
import paramiko

folder = pathlib.Path(sys.argv[1])
remote = "/proc/version"
true_length = len(pathlib.Path(remote).read_bytes())
text = folder / "text"
text.write_text("gr\u00fcn\n", "utf-8")


class Server(asyncssh.SSHServer):
    def begin_auth(self, username):
        return False


def show(what, length):
    print(f"{what}: {'all' if length == true_length else length} bytes")


async def attempt(what, call):
    try:
        print(f"{what}: {await call!r}")
    except Exception as error:
        print(f"{what}: {type(error).__name__}")


async def with_asyncssh(port):
    connected = asyncssh.connect("127.0.0.1", port, known_hosts=None, username="user")
    async with connected as connection, connection.start_sftp_client() as sftp:
        await sftp.get(remote, folder / "got")
        show("asyncssh, get", (folder / "got").stat().st_size)
        async with sftp.open(remote, "rb") as file:
            show("asyncssh, read()", len(await file.read()))
        async with sftp.open(remote, "rb") as file:
            print(f"asyncssh, read(20): {len(await file.read(20))} bytes")
        async with sftp.open(remote, "rb") as file:
            pieces = []
            while piece := await file.read(65536):
                pieces.append(piece)
            show("asyncssh, read(65536) until the end", len(b"".join(pieces)))
        for count in (2, 3, 4):
            async with sftp.open(text, "r", encoding="utf-8") as file:
                await attempt(f"asyncssh, read({count}) of text", file.read(count))


def with_paramiko(port):
    transport = paramiko.Transport(("127.0.0.1", port))
    transport.connect()
    transport.auth_none("user")
    sftp = paramiko.SFTPClient.from_transport(transport)
    sftp.get(remote, folder / "fetched")
    show("paramiko, get", (folder / "fetched").stat().st_size)
    with sftp.open(remote) as file:
        show("paramiko, read()", len(file.read()))
    transport.close()


def with_openssh(port):
    options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"]
    command = ["sftp", "-q", "-b", "-", "-P", str(port), "-F", "/dev/null"]
    command += [word for option in options for word in ("-o", option)]
    lines = f"get {remote} {folder}/openssh\n"
    subprocess.run([*command, "user@127.0.0.1"], input=lines, text=True, check=True,
                   stdout=subprocess.DEVNULL)
    show("OpenSSH, get", (folder / "openssh").stat().st_size)


async def main():
    logging.getLogger("asyncssh").setLevel(logging.CRITICAL)
    key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.create_server(
        Server, "127.0.0.1", 0, server_host_keys=[key], sftp_factory=True)
    port = server.sockets[0].getsockname()[1]
    await with_asyncssh(port)
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, with_paramiko, port)
    await loop.run_in_executor(None, with_openssh, port)


asyncio.run(main())
PY
"$dir/python/bin/python" "$dir/fetch.py" "$dir" > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
asyncssh, get: 0 bytes
asyncssh, read(): 0 bytes
asyncssh, read(20): 20 bytes
asyncssh, read(65536) until the end: all bytes
asyncssh, read(2) of text: 'gr'
asyncssh, read(3) of text: UnicodeDecodeError
asyncssh, read(4) of text: 'grü'
paramiko, get: all bytes
paramiko, read(): all bytes
OpenSSH, get: all bytes
EXPECTED
