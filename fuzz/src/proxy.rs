//! PROXY headers: an answer is the same however the bytes are cut, lies within them and its bound,
//! and is written again as it was read.

use socketry_proxy::{Header, LONGEST_V1, Origin, ProxyError, Version};

type Answer = Result<Option<(Header, usize)>, ProxyError>;

/// The first byte is a quarter of the bound of version 2, and the rest is what a balancer sends.
pub fn run(input: &[u8]) {
    let Some((quarter, bytes)) = input.split_first() else {
        return;
    };
    let longest = 4 * usize::from(*quarter);
    let whole = Header::parse(bytes, longest);
    for cut in 0..bytes.len() {
        holds(&Header::parse(&bytes[..cut], longest), &whole, cut);
    }
    match &whole {
        Ok(Some((header, len))) => read(header, &bytes[..*len], longest),
        Ok(None) => assert!(bytes.len() < longest.max(LONGEST_V1).max(16)),
        Err(error) => assert!(error.to_string().is_ascii() || error.to_string().contains('…')),
    }
}

/// An answer about the first `cut` bytes is the one about all of them, or that more are needed.
fn holds(early: &Answer, whole: &Answer, cut: usize) {
    match (early, whole) {
        (Ok(None), Ok(Some((_, len)))) => assert!(cut < *len),
        (Ok(None), _) => {}
        // The words show what had arrived.
        (Err(early), Err(late)) => assert_eq!(early.kind(), late.kind()),
        (early, whole) => assert_eq!(early, whole),
    }
}

fn read(header: &Header, bytes: &[u8], longest: usize) {
    let most = match header.version() {
        Version::V1 => LONGEST_V1,
        Version::V2 => longest,
    };
    assert!(bytes.len() <= most);
    if let Some(tls) = header.fields().tls() {
        let _words = (tls.version(), tls.common_name(), tls.cipher());
    }
    let written = header.encode().expect("what was read can be written");
    let again = Header::parse(&written, written.len()).expect("what was written can be read");
    let (again, len) = again.expect("it is whole");
    assert_eq!(len, written.len());
    assert_eq!(again.origin(), header.origin());
    // A sum over other bytes is another one: IPv4 in IPv6 became IPv4.
    if !header.is_checked() && *header.origin() != Origin::Unknown {
        assert_eq!(again.fields(), header.fields());
    }
}
