#!/usr/bin/env bash
# Software: PyPI httpx 0.28.1 iter_lines, requests 2.34.2 iter_lines(decode_unicode=True), CPython
#   str.splitlines, npm byline 5.0.0, java.util.Scanner (OpenJDK 17); for comparison requests
#   without decode_unicode, aiohttp, npm split2 4.2.0 and Java's BufferedReader.
# Behaviour: one line of JSON is cut in two where a string in it holds U+2028, U+0085 or another
#   of Unicode's line ends. All of these are legal, unescaped, inside a JSON string.
# A good guess is wrong: one expects CR and LF only. It goes well for long, since Python's
#   json.dumps writes these characters escaped; JavaScript and Rust's serde_json write them raw.
# What a peer does about it: a writer of JSON lines escapes U+0085, U+2028 and U+2029 (and U+000B,
#   U+000C, U+001C to U+001E are escaped by any JSON writer). A reader splits *bytes* at LF, then
#   decodes.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$dir"' EXIT

if ! command -v java >/dev/null || ! java --list-modules | grep -q '^jdk.compiler'; then
    apt-get update -q >/dev/null
    apt-get install -y -q openjdk-17-jdk-headless >/dev/null 2>&1
fi
java -version 2>&1 | head -n 1
python3 --version
node --version
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check httpx==0.28.1 requests==2.34.2 \
    aiohttp==3.14.5
npm install --silent --no-audit --no-fund --prefix "$dir" byline@5.0.0 split2@4.2.0

# Two lines, each with one character between the quotes.
printf '"a\xe2\x80\xa8b"\n"c\xc2\x85d"\n' > "$dir/lines"

cat > "$dir/read.py" <<'PY'
import asyncio
import functools
import http.server
import sys
import threading

import aiohttp
import httpx
import requests


class Quiet(http.server.SimpleHTTPRequestHandler):
    extensions_map = {"": "application/x-ndjson; charset=utf-8"}

    def log_message(self, *args):
        pass


handler = functools.partial(Quiet, directory=sys.argv[1])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{server.server_address[1]}/lines"

with httpx.stream("GET", url) as response:
    print("httpx:", len(list(response.iter_lines())))
response = requests.get(url, stream=True)
print("requests, decode_unicode:", len(list(response.iter_lines(decode_unicode=True))))
print("requests, bytes:", len(list(requests.get(url, stream=True).iter_lines())))
with open(sys.argv[1] + "/lines", encoding="utf-8") as file:
    print("str.splitlines:", len(file.read().splitlines()))


async def main():
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        print("aiohttp:", len([line async for line in response.content]))


asyncio.run(main())
server.shutdown()
PY
cat > "$dir/read.cjs" <<'JS'
const fs = require('fs')
function count(name, stream) {
  let lines = 0
  fs.createReadStream(`${__dirname}/lines`).pipe(stream)
    .on('data', () => lines++).on('end', () => console.log(`${name}: ${lines}`))
}
count('byline', require('byline').createStream())
setTimeout(() => count('split2', require('split2')()), 200)
JS
cat > "$dir/Read.java" <<'JAVA'
import java.nio.file.*;
import java.util.Scanner;

public class Read {
    public static void main(String[] args) throws Exception {
        var path = Path.of(args[0]);
        int lines = 0;
        for (var scanner = new Scanner(path, "UTF-8"); scanner.hasNextLine(); scanner.nextLine()) lines++;
        System.out.println("Scanner: " + lines);
        System.out.println("BufferedReader: " + Files.newBufferedReader(path).lines().count());
    }
}
JAVA

{
    "$dir/venv/bin/python" "$dir/read.py" "$dir"
    node "$dir/read.cjs"
    java "$dir/Read.java" "$dir/lines"
} > "$dir/seen"
echo 'two lines were sent; each reader saw:'
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
httpx: 4
requests, decode_unicode: 4
requests, bytes: 2
str.splitlines: 4
aiohttp: 2
byline: 4
split2: 2
Scanner: 4
BufferedReader: 2
EXPECTED
