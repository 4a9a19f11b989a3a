//! Answers, as both sides have them, and the trailer of a body.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::AppError;
use crate::file::digest::Digests;
use crate::file::listing::Kind;

/// The state of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::file) enum Status {
    /// A body may follow.
    #[default]
    Ok,
    /// The client may send its body.
    Ready,
    /// The last answer.
    Done,
    /// The last answer, with the reason in `error`.
    Error,
}

/// An answer of the server. All answers have this form.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::file) struct Answer {
    pub(in crate::file) status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::file) error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::file) filename: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::file) filesize: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::file) offset: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::file) kind: Option<Kind>,
    #[serde(with = "crate::file::mtime", skip_serializing_if = "Option::is_none")]
    pub(in crate::file) mtime: Option<SystemTime>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::file) mode: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::file) entries: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::file) size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::file) digest: Option<Digests>,
    /// Whether the file follows in pieces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::file) pieces: Option<bool>,
    /// With `ready`: the name is taken exactly, as the client asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::file) exact: Option<bool>,
    /// With `ready`, while or after the body arrives: the server takes it at its own pace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::file) alive: Option<bool>,
}

impl Answer {
    /// A `ready` answer. It says that the name is taken exactly only if the client asked for that.
    pub(in crate::file) fn ready(exact: bool) -> Self {
        Answer {
            status: Status::Ready,
            offset: Some(0),
            exact: exact.then_some(true),
            ..Answer::default()
        }
    }

    /// Says to a client that has sent its body that the server still takes it.
    pub(in crate::file) fn alive() -> Self {
        Answer {
            status: Status::Ready,
            alive: Some(true),
            ..Answer::default()
        }
    }

    pub(in crate::file) fn done(filesize: u64, digest: Digests) -> Self {
        Answer {
            status: Status::Done,
            filesize: Some(filesize),
            digest: Some(digest),
            ..Answer::default()
        }
    }

    pub(in crate::file) fn error(error: &AppError) -> Self {
        Answer {
            status: Status::Error,
            error: Some(error.to_string()),
            ..Answer::default()
        }
    }

    /// The answer, or its error if it is one. Servers of other kinds send an error without a
    /// status.
    pub(in crate::file) fn or_error(self) -> Result<Self, AppError> {
        match (self.status, &self.error) {
            (_, Some(error)) => Err(AppError::said(error)),
            (Status::Error, None) => Err(AppError::said("no, without a reason")),
            _ => Ok(self),
        }
    }
}

/// The trailer of a body whose header has `"digest":"trailer"`.
#[derive(Debug, Serialize)]
pub(in crate::file) struct Trailer {
    pub(in crate::file) digest: Digests,
}

/// Parses the digests of a trailer. It must have BLAKE3, since only that was computed meanwhile.
pub(in crate::file) fn parse_trailer(trailer: &[u8]) -> Result<Digests, AppError> {
    #[derive(Deserialize)]
    struct Keys {
        digest: Option<Value>,
    }
    let problem = |what| AppError::failed(format_args!("the trailer{what}"));
    let keys: Keys = serde_json::from_slice(trailer).map_err(|error| {
        AppError::failed(format_args!("the trailer cannot be understood: {error}"))
    })?;
    let digest = keys
        .digest
        .ok_or_else(|| problem(" lacks the key digest"))?;
    let digests: Digests = serde_json::from_value(digest)
        .map_err(|_| problem("'s key digest has to be an object with blake3 in hexadecimal"))?;
    match digests.blake3 {
        Some(_) => Ok(digests),
        None => Err(problem("'s digest lacks the key blake3")),
    }
}
