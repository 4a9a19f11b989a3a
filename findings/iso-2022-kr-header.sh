#!/usr/bin/env bash
# Software: glibc 2.36 iconv, ICU 72.1 uconv, Perl 5.36.0 Encode, PHP 8.2 mbstring; CPython 3.11
#   and OpenJDK 17 the other way (Debian 12). Encoding: ISO-2022-KR.
# Behaviour: the first four put a header of 4 bytes (ESC $ ) C) in front of *each* text, also in
#   front of plain ASCII; Perl even in front of the empty text. CPython and Java write it only
#   where Korean follows. Java leaves out the shift back to ASCII (0x0f) at the end, so an ASCII
#   text that follows on the connection is read as Korean. Read back, CPython gives Korean without
#   its header as ASCII letters, without an error; glibc, which needs no header, gives the Korean
#   text.
# A good guess is wrong: "ASCII text stays the same bytes in a 7-bit encoding", so a header line
#   or a command word can be sent in it as it is; and text without its header is expected to be an
#   error.
# What a peer does about it: encode each message alone, header and all, and decode it alone; count
#   bytes after encoding; keep command words outside of the encoded part.
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
for package in libc-bin icu-devtools perl php-mbstring; do
    need "$package"
done
python3 --version
if ! command -v java >/dev/null || ! java --list-modules | grep -q '^jdk.compiler'; then
    apt-get update -q >/dev/null
    apt-get install -y -q openjdk-17-jdk-headless >/dev/null 2>&1
fi
java -version 2>&1 | head -n 1

cat > "$dir/Encode.java" <<'JAVA'
import java.util.HexFormat;

public class Encode {
    public static void main(String[] args) throws Exception {
        for (var text : new String[] {"hi", "\ud55c"}) {
            System.out.println("Java: " + HexFormat.of().formatHex(text.getBytes("ISO-2022-KR")));
        }
    }
}
JAVA

hex() { od -An -v -tx1 | tr -d ' \n'; }
{
    for text in hi 한; do
        echo "iconv: $(printf %s "$text" | iconv -f utf-8 -t iso-2022-kr | hex)"
        echo "uconv: $(printf %s "$text" | uconv -f utf-8 -t iso-2022-kr | hex)"
        # shellcheck disable=SC2016
        echo "Perl: $(printf %s "$text" | perl -MEncode -0777 -ne '
            print encode("iso-2022-kr", decode("UTF-8", $_))' | hex)"
        # shellcheck disable=SC2016
        echo "PHP: $(php -r 'echo mb_convert_encoding($argv[1], "ISO-2022-KR", "UTF-8");' "$text" | hex)"
        echo "CPython: $(python3 -c 'import sys
sys.stdout.buffer.write(sys.argv[1].encode("iso2022_kr"))' "$text" | hex)"
    done
    java "$dir/Encode.java"
    echo "Perl, empty text: $(perl -MEncode -e 'print encode("iso-2022-kr", "")' | hex)"
    printf '\x0eGQ\x0f' > "$dir/bare"
    printf '\x1b$)C\x0eGQhi' > "$dir/joined"
    echo "Java's text and \"hi\": iconv reads $(iconv -f iso-2022-kr -t utf-8 "$dir/joined")"
    echo "without its header: iconv reads $(iconv -f iso-2022-kr -t utf-8 "$dir/bare")"
    echo "without its header: CPython reads $(python3 -c 'import sys
print(open(sys.argv[1], "rb").read().decode("iso2022_kr").strip("\x0e\x0f"))' "$dir/bare")"
} > "$dir/seen"
cat "$dir/seen"

diff - "$dir/seen" <<'EXPECTED' && echo 'as described'
iconv: 1b2429436869
uconv: 1b2429436869
Perl: 1b2429436869
PHP: 1b2429436869
CPython: 6869
iconv: 1b2429430e47510f
uconv: 1b2429430e47510f
Perl: 1b2429430e47510f
PHP: 1b2429430e47510f
CPython: 1b2429430e47510f
Java: 6869
Java: 1b2429430e4751
Perl, empty text: 1b242943
Java's text and "hi": iconv reads 한僥
without its header: iconv reads 한
without its header: CPython reads GQ
EXPECTED
