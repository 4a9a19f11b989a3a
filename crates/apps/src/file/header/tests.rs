//! Tests of the headers of requests and trailers.

use super::*;

fn refused(header: &str, bare: bool) -> (String, Follows) {
    let refused = parse(header.as_bytes(), bare).unwrap_err();
    (refused.error.to_string(), refused.follows)
}

#[test]
fn errors_name_the_key() {
    for (header, key) in [
        (r#"{"filename":"a"}"#, "lacks the key opt"),
        (r#"{"opt":7}"#, "key opt has to be a text"),
        (r#"{"opt":"upload","filesize":1}"#, "lacks the key filename"),
        (
            r#"{"opt":"upload","filename":"a"}"#,
            "lacks the key filesize",
        ),
        (
            r#"{"opt":"upload","filename":"a","filesize":-1}"#,
            "key filesize has to be a number",
        ),
        (
            r#"{"opt":"upload","filename":"a","file_size":"1"}"#,
            "key file_size has to be a number",
        ),
        (
            r#"{"opt":"upload","filename":["a"],"filesize":1}"#,
            "key filename has to be a text",
        ),
        (
            r#"{"opt":"upload","filename":"a","filesize":1,"offset":5}"#,
            "cannot be resumed yet",
        ),
        (
            r#"{"opt":"upload","filename":"a","filesize":1,"digest":7}"#,
            "key digest",
        ),
        (
            r#"{"opt":"upload","filename":"a","filesize":1,"mtime":1e99}"#,
            "key mtime",
        ),
        (r#"{"opt":"stat"}"#, "lacks the key filename"),
        (r#"{"opt":"fly"}"#, "fly is not known"),
    ] {
        let (error, _) = refused(header, false);
        assert!(error.contains(key), "{header}: {error}");
    }
}

#[test]
fn errors_in_a_trailer_name_the_key() {
    for (trailer, error) in [
        (r#"{"x":1}"#, "lacks the key digest"),
        (r#"{"digest":null}"#, "lacks the key digest"),
        (r#"{"digest":7}"#, "key digest has to be an object"),
        (
            r#"{"digest":{"blake3":7}}"#,
            "key digest has to be an object",
        ),
        (r#"{"digest":{"md5":"x"}}"#, "lacks the key blake3"),
        ("7", "cannot be understood"),
    ] {
        let told = parse_trailer(trailer.as_bytes()).unwrap_err().to_string();
        assert!(told.contains(error), "{trailer}: {told}");
    }
    parse_trailer(br#"{"digest":{"blake3":"00"}}"#).unwrap();
}

#[test]
fn the_bytes_after_a_refused_header_are_known_or_not() {
    let body = |len| Follows::Body {
        len,
        trailer: false,
    };
    for (header, bare, follows) in [
        (r#"{"opt":"upload","filesize":9}"#, false, body(9)),
        (r#"{"opt":"upload","filesize":9}"#, true, Follows::Unknown),
        (
            r#"{"opt":"upload","filesize":9,"wait":true}"#,
            false,
            body(0),
        ),
        (
            r#"{"opt":"upload","filesize":9,"wait":true,"grace":1}"#,
            false,
            Follows::Unknown,
        ),
        (
            r#"{"opt":"upload","filename":"a"}"#,
            false,
            Follows::Unknown,
        ),
        (r#"{"opt":"upload","content":"a"}"#, true, body(0)),
        (r#"{"opt":"stat","filesize":1}"#, false, body(0)),
        (r#"{"opt":"fly"}"#, false, body(0)),
        (r#"{"filesize":1}"#, false, Follows::Unknown),
        (r#"{"opt":"#, false, Follows::Unknown),
    ] {
        assert_eq!(refused(header, bare).1, follows, "{header}");
    }
}

#[test]
fn aliases_and_unknown_keys_are_accepted() {
    let header =
        br#"{"opt":"upload","file_name":"a","file_size":3,"md5":"x","new":[{}],"wait":null}"#;
    let Ok(Request::Upload(upload)) = parse(header, false) else {
        panic!("it is an upload");
    };
    assert!(matches!(upload.source, Content::Body(3)));
    assert_eq!(upload.claimed.md5.as_deref(), Some("x"));
    assert!(!upload.waits && !upload.trailer);
}
