//! Recognises a peer that speaks HTTP or TLS, such as a browser, and not one of our codecs.
//!
//! A web page can make its reader's browser send bytes to any port that the browser can reach, on
//! this machine, too. The page chooses most of these bytes: the path, the body, a ticket of TLS. A
//! codec that skips bytes that it does not understand could find frames among them, and `command`
//! would run them. The page does not choose the first bytes, and they show the protocol.

use crate::own::Own;

/// The methods with which an HTTP request begins.
const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
];

/// How many bytes of a request every network carries in one packet at least (RFC 9293, section
/// 3.7.1).
const SEGMENT: usize = 536;

/// The beginning of a TLS record with a handshake.
const HANDSHAKE: [u8; 2] = [0x16, 0x03];

/// The protocol of a connection that begins with `bytes`, if that is HTTP or TLS.
pub(crate) fn of_bytes(bytes: &[u8]) -> Option<&'static str> {
    let asks = |method: &&str| {
        let behind = bytes.strip_prefix(method.as_bytes());
        behind.is_some_and(|behind| behind.starts_with(b" /") || behind.starts_with(b" *"))
    };
    if METHODS.iter().any(asks) || is_request_line(bytes) {
        return Some("HTTP");
    }
    bytes.starts_with(&HANDSHAKE).then_some("TLS")
}

/// Whether a method may have this byte (RFC 9110, section 5.6.2).
fn in_method(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte)
}

/// Whether the first line is that of a request, whatever its method: a page from the same host, by
/// its name, may choose that too (RFC 9112, section 3).
fn is_request_line(bytes: &[u8]) -> bool {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or(bytes);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let words: Vec<_> = line.splitn(4, |byte| *byte == b' ').collect();
    let [method, target, version] = words[..] else {
        return false;
    };
    let is_version = matches!(
        version,
        [b'H', b'T', b'T', b'P', b'/', b'0'..=b'9', b'.', _]
    );
    !method.is_empty() && method.iter().all(in_method) && !target.is_empty() && is_version
}

/// Whether `bytes`, all that has come, are the beginning of a request line that a segment has cut,
/// whatever its method: the version is still to come. No command has words so long.
fn is_cut_request_line(bytes: &[u8]) -> bool {
    let mut words = bytes.splitn(3, |byte| *byte == b' ');
    let method = words.next().unwrap_or_default();
    let is_target = |word: &[u8]| {
        let begins = word.starts_with(b"/") || word.starts_with(b"http");
        begins && !word.iter().any(u8::is_ascii_control)
    };
    bytes.len() >= SEGMENT
        && method.iter().all(in_method)
        && words.next().is_none_or(is_target)
        && words
            .next()
            .is_none_or(|word| b"HTTP/1.1".starts_with(word))
}

/// Whether a first frame that begins like a request is a person's text about one. It is too short
/// to be the beginning of a long request, and lacks the version that every whole request has.
pub(crate) fn is_talk(frame: &[u8]) -> bool {
    let version = b" HTTP/";
    let has_version = frame.windows(version.len()).any(|part| part == version);
    frame.len() < SEGMENT && !has_version && !frame.starts_with(&HANDSHAKE)
}

/// The protocol of a connection with this first frame, if that is HTTP or TLS. `own` has taken the
/// length off the frame.
pub(crate) fn of_frame(frame: &[u8], own: &Own) -> Option<&'static str> {
    // Two letters may be a length: `PO` announces 20,559 bytes.
    let found = of_bytes(&own.front(frame, usize::MAX));
    // Without frame boundaries a frame is what one segment brought.
    let is_cut = !own.properties.boundaries && is_cut_request_line(frame);
    found.or(is_cut.then_some("HTTP"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_known_by_its_method_and_path() {
        for bytes in [
            "GET / HTTP/1.1\r\n",
            "POST /a",
            "OPTIONS * HTTP/1.1",
            "PROPFIND / HTTP/1.1\r\n\r\nid\n",
            "touch /tmp/x HTTP/1.1",
            "GET http://localhost/ HTTP/1.0\n",
            "PRI * HTTP/2.0\r\n",
        ] {
            assert_eq!(of_bytes(bytes.as_bytes()), Some("HTTP"), "{bytes}");
        }
        assert_eq!(of_bytes(b"\x16\x03\x01\x02\x00"), Some("TLS"));
        for bytes in [
            "",
            "GET",
            "GET http://localhost/",
            "POSTS /",
            "get /",
            "echo GET /",
            "curl -v / HTTP/1.1",
            "echo\nGET / HTTP/1.1",
            "say: / HTTP/1.1",
        ] {
            assert_eq!(of_bytes(bytes.as_bytes()), None, "{bytes}");
        }
    }

    #[test]
    fn a_request_line_that_a_segment_has_cut_is_known_over_raw() {
        let own = |codec| crate::Service::with_codec(codec).unwrap().own().unwrap();
        let long = |begin: &str| format!("{begin}{}", "x".repeat(SEGMENT));
        for text in [
            long("touch /"),
            long("touch http://localhost/"),
            long("rm /") + " HTT",
            long("x|id|"),
        ] {
            let is_cut = of_frame(text.as_bytes(), &own("raw"));
            assert_eq!(is_cut, Some("HTTP"), "{text}");
            assert_eq!(of_frame(text.as_bytes(), &own("line")), None, "{text}");
        }
        for text in [
            "touch /tmp/x".to_owned(),
            long("echo "),
            long("cp /tmp/y /"),
            long("ls /") + "\nid",
            long("X=1; ls /"),
        ] {
            assert_eq!(of_frame(text.as_bytes(), &own("raw")), None, "{text}");
        }
    }

    #[test]
    fn a_text_about_a_request_is_no_request() {
        assert!(is_talk(b"GET /users answers 500"));
        assert!(!is_talk(b"GET /users HTTP/1.1\r\nHost: localhost\r\n"));
        assert!(!is_talk(b"\x16\x03\x01\x02\x00"));
        assert!(!is_talk(&[b"GET /", &[b'x'; SEGMENT][..]].concat()));
    }

    #[test]
    fn letters_that_were_taken_for_a_length_count() {
        let mut frame = b"ST / HTTP/1.1\r\n".to_vec();
        frame.resize(usize::from(u16::from_be_bytes(*b"PO")), b' ');
        let own = |codec| crate::Service::with_codec(codec).unwrap().own().unwrap();
        assert_eq!(of_frame(&frame, &own("struct:>H")), Some("HTTP"));
        assert_eq!(of_frame(&frame, &own("struct")), None);
        assert_eq!(of_frame(b"GET / HTTP/1.1", &own("raw")), Some("HTTP"));
        // In a frame of its own, a text may be about anything.
        assert_eq!(of_frame(b"GET / HTTP/1.1", &own("struct")), None);
    }
}
