#!/usr/bin/env bash
# Software: clangd 14.0.6 (Debian), PyPI python-lsp-server 1.15.0 (pylsp), PyPI debugpy 1.8.22 (the
#   adapter), npm vscode-jsonrpc 10.0.0.
# Behaviour: only vscode-jsonrpc knows `content-length` in lower case. pylsp wants Content-Length on
#   the first line: where another header stands before it, pylsp reads to the end of its input and
#   answers nothing more. clangd and pylsp want the space behind the colon. None of
#   them answers with an error.
# A good guess is wrong: the base protocols of LSP and DAP take their header from HTTP, where names
#   have no case, lines have no order and the space is optional; one expects that, or an error.
# What a peer does about it: send exactly `Content-Length: N\r\n\r\n`, first and alone. A client that
#   gets no answer to initialize looks at its header first.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
command -v clangd >/dev/null || {
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends clangd >/dev/null 2>&1
}
clangd --version | head -n 1
node --version
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check python-lsp-server==1.15.0 debugpy==1.8.22
"$dir/venv/bin/python" --version
npm install --silent --no-audit --no-fund --prefix "$dir" vscode-jsonrpc@10.0.0

cat > "$dir/server.cjs" <<'JS'
const rpc = require('vscode-jsonrpc/node')
const connection = rpc.createMessageConnection(
  new rpc.StreamMessageReader(process.stdin), new rpc.StreamMessageWriter(process.stdout),
  { error() {}, warn() {}, info() {}, log() {} })
connection.onRequest('initialize', () => ({ capabilities: {} }))
connection.onRequest('shutdown', () => null)
connection.onClose(() => process.exit(0))
connection.listen()
JS
cat > "$dir/ask.py" <<'PY'
import json
import os
import select
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

name, *command = sys.argv[1:]
dap = name == "debugpy"
last = "disconnect" if dap else "shutdown"


def message(number, what):
    if dap:
        value = {"seq": number, "type": "request", "command": what, "arguments": {"adapterID": "a"}}
    else:
        params = {"processId": None, "rootUri": None, "capabilities": {}}
        value = {"jsonrpc": "2.0", "id": number, "method": what, "params": params}
    return json.dumps(value).encode()


def answers(server, mark, seconds):
    """Whether the answer with this mark comes."""
    until, out = time.monotonic() + seconds, b""
    while mark not in out.replace(b" ", b""):
        ready, _, _ = select.select([server.stdout], [], [], max(0, until - time.monotonic()))
        part = os.read(server.stdout.fileno(), 65536) if ready else b""
        if not part:
            return False
        out += part
    return True


def ask(header):
    mark = b'"request_seq":%d,' if dap else b'"id":%d,'
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, **pipes) as server:
        for number, what, seconds in (1, "initialize", 30), (2, last, 2):
            text = message(number, what)
            line = header if number == 2 else b"Content-Length: N\r\n\r\n"
            server.stdin.write(line.replace(b"N", b"%d" % len(text)) + text)
            server.stdin.flush()
            answered = answers(server, mark % number, seconds)
            assert answered or number == 2, "it did not start"
        server.kill()
    return "answered" if answered else "silent"


kind = b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\n"
headers = {
    "lower case": b"content-length: N\r\n\r\n",
    "type before": kind + b"Content-Length: N\r\n\r\n",
    "type behind": b"Content-Length: N\r\n" + kind + b"\r\n",
    "no space": b"Content-Length:N\r\n\r\n",
}
with ThreadPoolExecutor(2) as pool:
    seen = zip(headers, pool.map(ask, headers.values()))
    print(f"{name}:", ", ".join(f"{what} {answer}" for what, answer in seen))
PY

ask() { "$dir/venv/bin/python" "$dir/ask.py" "$@" | tee -a "$dir/seen"; }
ask clangd clangd
ask pylsp "$dir/venv/bin/pylsp"
ask debugpy "$dir/venv/bin/python" -m debugpy.adapter
ask vscode-jsonrpc node "$dir/server.cjs"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
clangd: lower case silent, type before answered, type behind answered, no space silent
pylsp: lower case silent, type before silent, type behind answered, no space silent
debugpy: lower case silent, type before answered, type behind answered, no space answered
vscode-jsonrpc: lower case answered, type before answered, type behind answered, no space answered
EXPECTED
