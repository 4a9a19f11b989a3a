//! Programs that pack a length before each message: Perl's `pack`, PHP's `pack`, Lua's
//! `string.pack`.

use crate::child::Peer;
use crate::mirror::{Program, Role, binary, framed, heard, refuses};
use crate::tools;

const PERL: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/peers_languages/perl_peer.pl"
);
const PHP: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/peers_languages/php_peer.php"
);
const LUA: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/peers_languages/lua_peer.lua"
);

async fn mirrors(codec: &str, program: &str, arguments: &[&str], lengths: &[usize]) {
    let frames = binary(lengths);
    let said = Program(program, arguments).mirrors(codec, &frames).await;
    assert_eq!(said, ["closed"; 2]);
}

#[tokio::test]
async fn perl_packs_the_same_lengths() {
    if !tools::has("perl") {
        return;
    }
    let short = [0, 1, 127, 128, 255];
    mirrors("struct:B", "perl", &[PERL, "C"], &short).await;
    let middle = [0, 1, 255, 256, 65_534, 65_535];
    mirrors("struct:>H", "perl", &[PERL, "n"], &middle).await;
    mirrors("struct:<H", "perl", &[PERL, "v"], &middle).await;
    let long = [0, 1, 255, 65_535, 65_536, 1 << 20, 8_388_608];
    mirrors("struct:>I", "perl", &[PERL, "N"], &long).await;
    // Perl's compressed integers are in BER: seven bits a byte, the most significant first.
    let bits = [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152];
    mirrors("struct:vlq", "perl", &[PERL, "w"], &bits).await;
}

#[tokio::test]
async fn php_packs_the_same_lengths() {
    if !tools::has("php") {
        return;
    }
    let short = [0, 1, 127, 128, 255];
    mirrors("struct:B", "php", &[PHP, "C"], &short).await;
    let middle = [0, 1, 255, 256, 8_192, 8_193, 65_534, 65_535];
    mirrors("struct:>H", "php", &[PHP, "n"], &middle).await;
    let long = [0, 1, 255, 65_535, 65_536, 1 << 20, 8_388_608];
    mirrors("struct:>I", "php", &[PHP, "N"], &long).await;
    mirrors("struct:>Q", "php", &[PHP, "J"], &middle).await;
}

#[tokio::test]
async fn lua_packs_the_same_strings() {
    if !tools::has_lua_module("socket") {
        return;
    }
    let short = [0, 1, 127, 128, 255];
    mirrors("lua:s1", "lua5.4", &[LUA, "s1"], &short).await;
    let middle = [0, 1, 255, 256, 65_534, 65_535];
    mirrors("lua:s2", "lua5.4", &[LUA, "s2"], &middle).await;
    let long = [0, 1, 255, 65_535, 65_536, 1 << 20, 8_388_608];
    mirrors("lua:s4", "lua5.4", &[LUA, "s4"], &long).await;
    mirrors("lua:s8", "lua5.4", &[LUA, "s8"], &middle).await;
    // Lua raises an error at a string that is too long for its length, as we do.
    for (format, max) in [("s1", 255), ("s2", 65_535)] {
        let (_peer, socket) = Program("lua5.4", &[LUA, format]).meet(Role::Listens).await;
        refuses(&mut framed(socket, &format!("lua:{format}")), max + 1, max).await;
        let pack = format!("print(pcall(string.pack, '{format}', ('x'):rep({max} + 1)))");
        let said = Peer::start("lua5.4", &["-e", &pack]).ended().await;
        assert!(said[0].contains("does not fit in given size"), "{said:?}");
    }
}

/// Perl and PHP write the lowest 16 bits of a longer length, and a receiver finds frames in the
/// message. Their users compare the length with 65,535 first, or take `N`; we refuse to encode.
#[tokio::test]
async fn a_length_above_65_535_wraps_in_perl_and_php_and_is_refused_here() {
    for (program, script) in [("perl", PERL), ("php", PHP)] {
        if !tools::has(program) {
            continue;
        }
        let arguments = [script, "n", "send", "0,65535,65540"];
        let (peer, socket) = Program(program, &arguments).meet(Role::Connects).await;
        let mut framed = framed(socket, "struct:>H");
        refuses(&mut framed, 65_536, 65_535).await;
        for len in [0, 65_535, 4] {
            assert_eq!(heard(&mut framed).await, Some(vec![0; len]), "{program}");
        }
        // The other 65,536 zeros of the last message.
        for _ in 0..32_768 {
            assert_eq!(heard(&mut framed).await, Some(Vec::new()), "{program}");
        }
        assert_eq!(heard(&mut framed).await, Some(b"end".to_vec()));
        assert_eq!(heard(&mut framed).await, None);
        assert!(peer.ended().await.is_empty());
    }
}
