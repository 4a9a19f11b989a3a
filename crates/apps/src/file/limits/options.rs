//! The limits of a server on its command line.

use std::time::Duration;

use socketry_transport::units::{parse_bytes, parse_duration};

use super::{Limits, MIN_RATE, Ways};

/// The options of `file serve` that limit its clients.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
pub(in crate::file) struct LimitArgs {
    /// Store nothing: clients list and fetch
    #[arg(long, conflicts_with = "upload_only")]
    read_only: bool,
    /// Take uploads only: clients neither list nor fetch
    #[arg(long)]
    pub(in crate::file) upload_only: bool,
    /// The largest file that is stored: 500MiB, 4GiB, …
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    max_file: Option<u64>,
    /// How much of the file system stays free; uploads that do not fit are refused
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    keep_free: Option<u64>,
    /// How much each client may store while this server runs: by its proved name, or else by its
    /// user or address. A quota in --rules stands in its place
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    quota: Option<u64>,
    /// How fast the files of all clients together go, each way: 10MiB/s, 500KB/s, …
    #[arg(long, value_name = "RATE", value_parser = rate)]
    limit: Option<u64>,
    /// How fast the files of each connection go, each way
    #[arg(long, value_name = "RATE", value_parser = rate)]
    limit_each: Option<u64>,
    /// How long a request may take, to its last byte: 90s, 1h, …
    #[arg(long, value_name = "TIME", value_parser = time)]
    max_time: Option<Duration>,
    /// How long a connection may be silent between two requests [default: 10m]
    #[arg(long, value_name = "TIME", value_parser = time)]
    idle: Option<Duration>,
}

impl From<&LimitArgs> for Limits {
    fn from(args: &LimitArgs) -> Self {
        let ways = match (args.read_only, args.upload_only) {
            (true, _) => Ways::ReadOnly,
            (false, true) => Ways::UploadOnly,
            (false, false) => Ways::Both,
        };
        Limits {
            ways,
            max_file: args.max_file,
            keep_free: args.keep_free,
            quota: args.quota,
            rate: args.limit,
            rate_each: args.limit_each,
            max_time: args.max_time,
            idle: args.idle,
        }
    }
}

fn bytes(text: &str) -> Result<u64, String> {
    let size = parse_bytes(text).map_err(|error| error.to_string())?;
    u64::try_from(size).map_err(|error| error.to_string())
}

fn rate(text: &str) -> Result<u64, String> {
    let wanted = || {
        format!(
            "'{}' is not a rate; write 10MiB/s, say",
            text.escape_debug()
        )
    };
    let text = text.trim();
    let rate = bytes(text.strip_suffix("/s").unwrap_or(text)).map_err(|_| wanted())?;
    match rate >= MIN_RATE {
        true => Ok(rate),
        false => Err("at least 16KiB/s are needed: a slower peer looks stalled".to_owned()),
    }
}

fn time(text: &str) -> Result<Duration, String> {
    let time = parse_duration(text).map_err(|error| error.to_string())?;
    match time.is_zero() {
        false => Ok(time),
        true => Err("it has to be more than nothing".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_bytes_a_second() {
        for (text, bytes) in [
            ("10MiB/s", 10 << 20),
            ("10MiB", 10 << 20),
            ("500kB/s", 500_000),
            ("16384", 16_384),
        ] {
            assert_eq!(rate(text), Ok(bytes), "{text}");
        }
        for text in ["", "/s", "fast", "10MiB/m", "10MiB/s/s", "16383", "-1"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }
}
