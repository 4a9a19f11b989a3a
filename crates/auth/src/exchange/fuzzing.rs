//! For fuzz targets: the parsers of lines. No part of the API.

use super::line;
use crate::binding::Mode;

/// What a parser gives is written as a line that it reads alike.
pub fn parse(line: &str) {
    if let Ok((name, nonce, mode)) = line::parse_hello(line) {
        let written = line::hello(&name, &nonce, mode);
        let read = line::parse_hello(written.trim_end_matches('\n'));
        assert_eq!(read, Ok((name, nonce, mode)));
        assert!(written.len() <= line::LONGEST);
    }
    if let Ok((nonce, mode)) = line::parse_challenge(line) {
        let written = line::challenge(&nonce, mode);
        let read = line::parse_challenge(written.trim_end_matches('\n'));
        assert_eq!(read, Ok((nonce, mode)));
    }
    if let Ok(proof) = line::parse_proof(line) {
        assert_eq!(proof.len(), 32);
    }
    if let Some(words) = line::parse_refusal(line) {
        let again = line::refusal(words);
        assert!(again.len() <= line::LONGEST && again.is_ascii());
    }
    let _ = Mode::of(line);
}
