#!/usr/bin/env bash
# Software: PyPI tuspy 1.1.0 (tusclient) against npm @tus/server 2.4.5 with @tus/file-store 2.1.1
#   (Node.js 20.20.2), both of the tus project.
# Behaviour: an upload without metadata fails: the client sends an empty Upload-Metadata, which
#   the server refuses with 400 `Invalid upload-metadata`. The client's exception names the status
#   only. With one key, even of an empty value, all is well. And a PATCH of no bytes at the end of
#   a finished upload calls the server's onUploadFinish again.
# A good guess is wrong: client and server are the project's own, the protocol makes metadata
#   optional, and an empty header field is expected to mean what a missing one means. What runs
#   when an upload is finished is expected to run once.
# What a peer does about it: a client gives at least one key (`metadata={"filename": ...}`); a
#   server that takes tuspy drops an empty Upload-Metadata before it parses. Let onUploadFinish
#   look whether its work was done.
set -euo pipefail
dir=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait; fi; rm -rf "$dir"' EXIT
python3 --version
node --version
python3 -m venv "$dir/python"
"$dir/python/bin/pip" install -q --disable-pip-version-check tuspy==1.1.0
npm install --silent --no-audit --no-fund --prefix "$dir" @tus/server@2.4.5 @tus/file-store@2.1.1

cat > "$dir/server.cjs" <<'JS'
const http = require('http')
const { Server } = require('@tus/server')
const { FileStore } = require('@tus/file-store')
const tus = new Server({
  path: '/files',
  datastore: new FileStore({ directory: process.argv[2] }),
  onUploadFinish: async (_, upload) => {
    console.log(`the server finishes an upload of ${upload.size} bytes`)
    return {}
  },
})
const server = http.createServer((request, response) => tus.handle(request, response))
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
JS
cat > "$dir/upload.py" <<'PY'
import io
import sys

import requests
from tusclient import client
from tusclient.exceptions import TusCommunicationError

tus = client.TusClient(f"http://127.0.0.1:{sys.argv[1]}/files")
for metadata in (None, {"name": ""}, {"name": "file"}):
    try:
        upload = tus.uploader(file_stream=io.BytesIO(b"12345"), chunk_size=3, metadata=metadata)
        upload.upload()
        print(f"metadata {metadata}: {upload.offset} bytes uploaded")
    except TusCommunicationError as error:
        print(f"metadata {metadata}: {error}, {error.response_content.decode().strip()}")
head = {"Tus-Resumable": "1.0.0", "Upload-Offset": "5"}
head["Content-Type"] = "application/offset+octet-stream"
answer = requests.patch(upload.url, data=b"", headers=head, timeout=5)
print("a PATCH of no bytes:", answer.status_code)
PY
: > "$dir/heard"
node "$dir/server.cjs" "$dir/uploads" >> "$dir/heard" &
server=$!
until [ -s "$dir/heard" ]; do sleep 0.1; done
port=$(head -n 1 "$dir/heard")
{
    "$dir/python/bin/python" "$dir/upload.py" "$port"
    tail -n +2 "$dir/heard"
} > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
metadata None: Attempt to retrieve create file url with status 400, Invalid upload-metadata
metadata {'name': ''}: 5 bytes uploaded
metadata {'name': 'file'}: 5 bytes uploaded
a PATCH of no bytes: 204
the server finishes an upload of 5 bytes
the server finishes an upload of 5 bytes
the server finishes an upload of 5 bytes
EXPECTED
