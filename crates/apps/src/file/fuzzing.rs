//! The protocol's parsers, for fuzz targets. This is no part of the API, and may change with any
//! version.

use serde_json::{Map, Value, json};

use super::header::{self, Answer, Content, Request, Trailer, Upload};
use super::mtime::Dated;
use super::pieces::Piece;
use super::{listing, name};
use crate::AppError;

/// Parses a request and writes it again as a client would. The error says why it is refused.
pub fn request(header: &[u8], bare: bool) -> Result<Vec<u8>, String> {
    let request = header::parse(header, bare).map_err(|refused| refused.error.to_string())?;
    let header = match request {
        Request::Upload(upload) => {
            let mtime = upload.attributes.mtime;
            let header = offered(upload);
            return print(&Dated { header, mtime });
        }
        Request::Download { name, pieces } => {
            json!({"opt": "download", "filename": name, "pieces": pieces})
        }
        Request::List { path } => json!({"opt": "list", "path": path}),
        Request::Stat { name } => json!({"opt": "stat", "filename": name}),
        Request::Tree(request) => return print(&request.written()),
    };
    print(&header)
}

fn offered(upload: Upload) -> Value {
    let mut header = Map::new();
    let mut put = |key: &str, value: Value| drop(header.insert(key.to_owned(), value));
    put("opt", "upload".into());
    put("filename", upload.name.into());
    match upload.source {
        Content::Here(text) => put("content", text.into()),
        Content::Body(len) => put("filesize", len.into()),
        Content::Pieces => put("pieces", true.into()),
    }
    put("exact", upload.exact.into());
    put("replace", upload.storing.replace.into());
    put("wait", upload.waits.into());
    match upload.trailer {
        // With a trailer, only `md5` can be claimed besides it, in the header itself.
        true => put("digest", "trailer".into()),
        false => put("digest", json!(upload.claimed)),
    }
    put("md5", json!(upload.claimed.md5));
    put("mode", json!(upload.attributes.mode));
    put("sync", upload.storing.sync.into());
    Value::Object(header)
}

/// Parses a server's answer as a client does, and writes it again as a server would.
pub fn answer(header: &[u8]) -> Result<Vec<u8>, String> {
    let answer: Answer = serde_json::from_slice(header).map_err(words)?;
    print(&answer)
}

/// Parses the trailer of a body as a server does, and writes it again as a client would.
pub fn trailer(header: &[u8]) -> Result<Vec<u8>, String> {
    let digest = header::parse_trailer(header).map_err(words)?;
    print(&Trailer { digest })
}

/// Parses the header of a piece as its receiver does, and writes it again as its sender would.
pub fn piece(header: &[u8]) -> Result<Vec<u8>, String> {
    let piece: Piece = serde_json::from_slice(header).map_err(words)?;
    print(&piece)
}

/// Parses the entries of a listing as a client does, and writes them again as a server would.
pub fn listing(lines: &[u8]) -> Result<Vec<u8>, String> {
    let entries = listing::from_lines(lines).map_err(words)?;
    listing::to_lines(entries).map_err(words)
}

/// The name that an upload gets.
pub fn last(name: &str) -> Result<&str, AppError> {
    name::last(name)
}

/// The path of a request, as the server looks it up.
pub fn below_root(path: &str) -> Result<&str, AppError> {
    name::below_root(path)
}

/// The directory that a browsing client goes to.
pub fn join(place: &str, to: &str) -> String {
    name::join(place, to)
}

fn print(header: &impl serde::Serialize) -> Result<Vec<u8>, String> {
    serde_json::to_vec(header).map_err(words)
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn words(error: impl ToString) -> String {
    error.to_string()
}
