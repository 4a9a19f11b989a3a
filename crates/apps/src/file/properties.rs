//! Properties of every header, whatever arrives.

use std::time::{Duration, SystemTime};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Map, Value, json};

use super::digest::Digests;
use super::header::{self, Answer, Content, Follows, Request, Status, Trailer};
use super::listing::{Entry, Kind, from_lines, to_lines};
use super::name;
use crate::carried::carried;

const CODECS: [&str; 3] = ["json", "json:>H", "json:bare"];
const KEYS: [&str; 18] = [
    "opt",
    "filename",
    "file_name",
    "filesize",
    "file_size",
    "path",
    "content",
    "exact",
    "replace",
    "pieces",
    "wait",
    "grace",
    "alive",
    "offset",
    "digest",
    "md5",
    "mtime",
    "mode",
];

/// Values that fit some key, and values that fit none.
fn value() -> impl Strategy<Value = Value> {
    select(vec![
        json!("upload"),
        json!("download"),
        json!("list"),
        json!("stat"),
        json!("fly\u{1b}"),
        json!("a/../b\0"),
        json!("trailer"),
        json!({"blake3": "00"}),
        json!({"md5": 7}),
        json!({}),
        json!([]),
        json!(0),
        json!(1),
        json!(-1),
        json!(u64::MAX),
        json!(1e300),
        json!(-1e300),
        json!(0.5),
        json!(true),
        json!(null),
        json!("\u{202e}"),
        json!(""),
    ])
}

fn headers() -> impl Strategy<Value = Value> {
    (
        subsequence(KEYS.to_vec(), 0..KEYS.len()),
        vec(value(), KEYS.len()),
    )
        .prop_map(|(keys, values)| {
            let pairs = keys.into_iter().map(str::to_owned).zip(values);
            Value::Object(Map::from_iter(pairs))
        })
}

fn digests() -> impl Strategy<Value = Digests> {
    let hex = || option::of("[0-9a-f]{0,8}");
    (hex(), hex(), hex()).prop_map(|(blake3, md5, sha256)| Digests {
        blake3,
        md5,
        sha256,
    })
}

fn kinds() -> impl Strategy<Value = Option<Kind>> {
    option::of(select(vec![Kind::File, Kind::Dir, Kind::Link, Kind::Other]))
}

/// Times as files have them, to the nanosecond.
fn times() -> impl Strategy<Value = Option<SystemTime>> {
    let span = (0..60_000_000_000_u64, 0..1_000_000_000_u32);
    option::of(
        (any::<bool>(), span).prop_map(|(before, (seconds, nanos))| {
            let span = Duration::new(seconds, nanos);
            match before {
                true => SystemTime::UNIX_EPOCH - span,
                false => SystemTime::UNIX_EPOCH + span,
            }
        }),
    )
}

fn answers() -> impl Strategy<Value = Answer> {
    let status = select(vec![Status::Ok, Status::Ready, Status::Done, Status::Error]);
    let texts = any::<(Option<String>, Option<String>)>();
    let numbers = any::<(
        Option<u64>,
        Option<u64>,
        Option<u64>,
        Option<usize>,
        Option<u32>,
        Option<bool>,
        Option<bool>,
    )>();
    let rest = (kinds(), times(), option::of(digests()));
    (status, texts, numbers, rest).prop_map(|(status, texts, numbers, (kind, mtime, digest))| {
        let (error, filename) = texts;
        let (filesize, offset, size, entries, mode, pieces, exact) = numbers;
        Answer {
            status,
            error,
            filename,
            filesize,
            offset,
            kind,
            mtime,
            mode,
            entries,
            size,
            digest,
            pieces,
            exact,
            alive: exact,
        }
    })
}

fn is_clear(words: &str) -> bool {
    !words.is_empty() && !words.chars().any(|c| c.is_control() || c == '\u{202e}')
}

proptest! {
    #[test]
    fn answers_arrive(codec in select(&CODECS[..]), answer in answers(), at in any::<usize>()) {
        let frame = carried(codec, &serde_json::to_vec(&answer).unwrap(), at).unwrap();
        let arrived: Answer = serde_json::from_slice(&frame).unwrap();
        prop_assert_eq!(format!("{arrived:?}"), format!("{answer:?}"));
    }

    #[test]
    fn uploads_arrive(
        codec in select(&CODECS[..]),
        filename in any::<String>(),
        filesize in any::<u64>(),
        content in any::<Option<String>>(),
        (wait, trailer, exact, replace) in any::<(bool, bool, bool, bool)>(),
        claimed in digests(),
        mode in any::<u32>(),
        at in any::<usize>(),
    ) {
        let digest = if trailer { json!("trailer") } else { json!(claimed) };
        let header = json!({
            "opt": "upload", "filename": filename, "filesize": filesize, "content": content,
            "wait": wait, "exact": exact, "replace": replace,
            "digest": digest, "mode": mode, "more": [{"later": 1}],
        });
        let frame = carried(codec, header.to_string().as_bytes(), at).unwrap();
        let Ok(Request::Upload(upload)) = header::parse(&frame, false) else {
            panic!("{header}");
        };
        prop_assert_eq!(upload.name, filename);
        match (upload.source, content) {
            (Content::Here(text), Some(content)) => prop_assert_eq!(text, content),
            (Content::Body(len), None) => prop_assert_eq!(len, filesize),
            (source, _) => prop_assert!(false, "{:?}", source),
        }
        prop_assert_eq!((upload.waits, upload.trailer), (wait, trailer));
        prop_assert_eq!((upload.exact, upload.storing.replace), (exact, replace));
        prop_assert_eq!(upload.attributes.mode, Some(mode));
        if !trailer {
            prop_assert_eq!(format!("{:?}", upload.claimed), format!("{claimed:?}"));
        }
    }

    #[test]
    fn other_requests_arrive(
        codec in select(&CODECS[..]),
        opt in select(&["download", "list", "stat"][..]),
        named in any::<String>(),
        at in any::<usize>(),
    ) {
        let header = json!({"opt": opt, "filename": named, "path": named});
        let frame = carried(codec, header.to_string().as_bytes(), at).unwrap();
        let arrived = match header::parse(&frame, codec == "json:bare") {
            Ok(Request::Download { name, .. } | Request::Stat { name }) => name,
            Ok(Request::List { path }) => path,
            other => panic!("{other:?}"),
        };
        prop_assert_eq!(arrived, named);
    }

    #[test]
    fn trailers_arrive(codec in select(&CODECS[..]), claimed in digests(), at in any::<usize>()) {
        let trailer = serde_json::to_vec(&Trailer { digest: claimed.clone() }).unwrap();
        let frame = carried(codec, &trailer, at).unwrap();
        match header::parse_trailer(&frame) {
            Ok(arrived) => prop_assert_eq!(format!("{arrived:?}"), format!("{claimed:?}")),
            Err(error) => {
                prop_assert!(claimed.blake3.is_none());
                prop_assert!(error.to_string().contains("blake3"), "{}", error);
            }
        }
    }

    #[test]
    fn listings_arrive(
        entries in vec((any::<String>(), kinds(), any::<Option<u64>>(), times()), 0..5),
    ) {
        let entries = entries.into_iter().map(|(name, kind, size, mtime)| {
            let mode = size.map(|_| 0o644);
            Entry { name, kind, size, mtime, mode }
        });
        let entries: Vec<Entry> = entries.collect();
        prop_assert_eq!(from_lines(&to_lines(entries.clone()).unwrap()).unwrap(), entries);
    }

    /// A header is a request, or the error names one of its keys. With an error, the bytes after
    /// the header are known, or known to be unknown.
    #[test]
    fn any_header_is_a_request_or_an_error_that_names_a_key(
        header in headers(),
        bare in any::<bool>(),
    ) {
        if let Err(refused) = header::parse(header.to_string().as_bytes(), bare) {
            let words = refused.error.to_string();
            prop_assert!(is_clear(&words), "{:?}", words);
            prop_assert!(KEYS.iter().any(|key| words.contains(key)), "{}: {}", header, words);
            if let Follows::Body { len, .. } = refused.follows {
                let sizes = ["filesize", "file_size"].map(|key| header[key].as_u64());
                prop_assert!(len == 0 || sizes.contains(&Some(len)), "{}", header);
            }
        }
    }

    #[test]
    fn any_bytes_are_a_header_or_a_clear_error(
        bytes in vec(any::<u8>(), 0..60),
        bare in any::<bool>(),
    ) {
        if let Err(refused) = header::parse(&bytes, bare) {
            let words = refused.error.to_string();
            let named = words.starts_with("the header cannot be understood: ");
            prop_assert!(named && is_clear(&words), "{:?}", words);
            prop_assert_eq!(refused.follows, Follows::Unknown);
        }
        let trailer = header::parse_trailer(&bytes).map_err(|error| error.to_string());
        prop_assert!(trailer.is_err_and(|words| words.starts_with("the trailer")));
        if let Err(error) = from_lines(&bytes) {
            let words = error.to_string();
            prop_assert!(words.starts_with("the listing cannot be understood: "), "{}", words);
        }
    }

    /// Whatever name an upload has, it is stored under a single component and inside the root.
    #[test]
    fn any_name_is_one_component_or_refused(wanted in "[a./\\\\:\0\u{1b}é -]{0,12}|\\PC*") {
        match name::last(&wanted) {
            Ok(last) => {
                prop_assert!(wanted.ends_with(last) && !last.is_empty() && last.len() <= 255);
                prop_assert!(!last.contains(['/', '\\', '\0']) && last != "." && last != "..");
                prop_assert!(!name::is_temporary(last));
            }
            Err(error) => prop_assert!(is_clear(&error.to_string()), "{:?}", error.to_string()),
        }
        match name::exact(&wanted) {
            Ok((_, last)) => {
                prop_assert!(wanted.ends_with(last) && !last.is_empty() && last.len() <= 255);
                prop_assert!(!last.contains(['/', '\0']) && last != "." && last != "..");
                prop_assert!(!name::is_temporary(last));
            }
            Err(error) => prop_assert!(is_clear(&error.to_string()), "{:?}", error.to_string()),
        }
    }
}
