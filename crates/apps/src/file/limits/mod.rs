//! What a server's clients may use: which way files go, how large and how many, how fast, how long.

mod allowance;
mod options;
mod pace;
mod space;

use std::time::Duration;

use socketry_transport::units::{format_bytes, format_duration};

pub(super) use allowance::Allowance;
pub(super) use options::LimitArgs;
pub(super) use pace::{Alive, Lane, Pace, Paces};
pub(super) use space::Space;

use super::rules::Right;
use crate::AppError;

/// The slowest rate that a server may be limited to, in bytes a second: 16 KiB. The peers of a
/// slower one would take it for stalled.
pub const MIN_RATE: u64 = 16 << 10;

/// Which way files may go at a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ways {
    /// Clients list, fetch and store.
    #[default]
    Both,
    /// Clients list and fetch, and store nothing.
    ReadOnly,
    /// Clients store files, and neither list nor fetch any.
    UploadOnly,
}

/// What the clients of a [`Server`](super::Server) may use. The default is no limit but
/// [`IDLE`](super::IDLE). How many they may be is
/// [`Server::max_clients`](super::Server::max_clients) and
/// [`Access::max_per_user`](crate::Access::max_per_user).
///
/// A client that is refused gets an error that names the limit. A client that waits for `ready`
/// gets it before it sends the file. Nothing of a refused file stays.
///
/// ```
/// use socketry_apps::file::Limits;
///
/// let mut limits = Limits::default();
/// limits.max_file = Some(4 << 30);
/// limits.rate = Some(10 << 20);
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Limits {
    /// Which way files may go. [`Rules`](super::Rules) can grant less to a client, and not more.
    pub ways: Ways,
    /// How many bytes a file may have to be stored.
    pub max_file: Option<u64>,
    /// How many bytes of the file system stay free, as far as this server is concerned. It looks at
    /// the beginning of each upload, and again after every 8 MiB of it.
    pub keep_free: Option<u64>,
    /// How many bytes a client may store while the server runs: by the name that it has proved, or
    /// else by its user or address (of IPv6, its /64). All that have none of them count as one. A
    /// quota of [`Rules`](super::Rules) stands in its place. A file that replaces another counts
    /// whole, and a file that is not kept does not count.
    pub quota: Option<u64>,
    /// How many bytes of files a second may go in each direction, of all clients together: at least
    /// [`MIN_RATE`]. Headers, answers and listings up to 64 KiB do not wait.
    pub rate: Option<u64>,
    /// The same of each connection.
    pub rate_each: Option<u64>,
    /// How long a request may take, to its last byte. A download that has begun can only be broken
    /// off.
    pub max_time: Option<Duration>,
    /// How long a connection may be silent between two requests: else [`IDLE`](super::IDLE).
    pub idle: Option<Duration>,
}

impl Limits {
    /// An error unless files may go that way at this server.
    pub(super) fn lets(&self, rights: &[Right]) -> Result<(), AppError> {
        let stores = |right: &Right| *right == Right::Write;
        match self.ways {
            Ways::ReadOnly if rights.iter().all(stores) => Err(AppError::failed(
                "this server is read-only: files can be listed and fetched, and none is stored",
            )),
            Ways::UploadOnly if !rights.iter().any(stores) => Err(AppError::failed(
                "this server takes uploads only: files can be stored, and none is listed or sent",
            )),
            _ => Ok(()),
        }
    }

    /// An error if a file of `len` bytes is too large.
    pub(super) fn has_room(&self, len: u64) -> Result<(), AppError> {
        match self.max_file {
            Some(most) if len > most => Err(AppError::failed(format_args!(
                "the file is too large: it has {}, and a file may have {} here; \
                 send it in several parts, or ask for a higher --max-file",
                exactly(len),
                size(most)
            ))),
            _ => Ok(()),
        }
    }

    /// The error for a request that took too long.
    pub(super) fn late(after: Duration) -> AppError {
        AppError::failed(format_args!(
            "the request took longer than {}, which is the limit here; \
             send less at once, or ask for a higher --max-time",
            format_duration(after)
        ))
    }
}

/// A limit in words: `10MiB`, `10 bytes`.
pub(super) fn size(bytes: u64) -> String {
    let plain = usize::try_from(bytes).map_or_else(|_| bytes.to_string(), format_bytes);
    match plain.ends_with('B') {
        true => plain,
        false => exactly(bytes),
    }
}

fn exactly(bytes: u64) -> String {
    match bytes {
        1 => "1 byte".to_owned(),
        _ => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_lets_files_go_its_ways() {
        use Right::{List, Read, Write};
        let all = [&[List][..], &[Read], &[List, Read], &[Write]];
        let lets = |ways| {
            let limits = Limits {
                ways,
                ..Limits::default()
            };
            all.map(|rights| limits.lets(rights).is_ok())
        };
        assert_eq!(lets(Ways::Both), [true; 4]);
        assert_eq!(lets(Ways::ReadOnly), [true, true, true, false]);
        assert_eq!(lets(Ways::UploadOnly), [false, false, false, true]);
    }

    #[test]
    fn a_file_may_have_as_much_as_the_limit() {
        let limits = Limits {
            max_file: Some(1 << 20),
            ..Limits::default()
        };
        limits.has_room(1 << 20).unwrap();
        let words = limits.has_room((1 << 20) + 1).unwrap_err().to_string();
        assert!(
            words.contains("1048577 bytes") && words.contains("1MiB"),
            "{words}"
        );
        Limits::default().has_room(u64::MAX).unwrap();
    }
}
