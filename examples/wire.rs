//! Looks at captured bytes: their frames with a codec, or which codec they may have.
//!
//! ```sh
//! cargo run --example wire -- guess capture.pcap
//! cargo run --example wire -- decode --codec mqtt capture.pcap
//! ```
//!
//! A capture is a pcap or pcapng file with TCP streams, or the raw bytes of one direction. Without
//! arguments it shows its help.

use std::error::Error;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use socketry::codec::{CodecRegistry, CodecSpec};
use socketry_wire::{Direction, Found, Guess, frames};

type Failure = Box<dyn Error + Send + Sync>;

/// Looks at captured bytes
#[derive(Parser)]
#[command(name = "wire", arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Show the frames
    Decode {
        /// The codec: mqtt, line, struct:>H, … (docs/catalogue.md)
        #[arg(long, value_name = "NAME")]
        codec: CodecSpec,
        /// Show all bytes of a frame, and not only the first
        #[arg(long)]
        full: bool,
        /// Begin behind so many bytes of each direction
        #[arg(long, value_name = "BYTES", default_value_t = 0)]
        skip: usize,
        #[command(flatten)]
        capture: Capture,
    },
    /// Rank the codecs that read all bytes, or else all up to a first fault
    Guess {
        #[command(flatten)]
        capture: Capture,
    },
}

#[derive(clap::Args)]
struct Capture {
    /// A pcap or pcapng file, or raw bytes of one direction; - is standard input
    file: PathBuf,
    /// Only streams from or to this port
    #[arg(long)]
    port: Option<u16>,
    /// Only what this port has sent
    #[arg(long, value_name = "PORT")]
    from: Option<u16>,
}

fn main() -> ExitCode {
    let mut out = io::stdout().lock();
    let done = match Arguments::parse().verb {
        Verb::Decode {
            codec,
            full,
            skip,
            capture,
        } => decode(&mut out, &codec, (skip, full), &capture),
        Verb::Guess { capture } => guess(&mut out, &capture),
    };
    match done {
        Ok(code) => code,
        // Who reads the output has seen enough.
        Err(error) if is_closed(&*error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("wire: {error}");
            ExitCode::FAILURE
        }
    }
}

fn is_closed(error: &(dyn Error + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

impl Capture {
    /// Whether the ports of a direction are those that were asked for.
    fn picks(&self, direction: &Direction) -> bool {
        let is = |end: &str, port: u16| end.ends_with(&format!(":{port}"));
        let Direction { from, to, .. } = direction;
        self.port.is_none_or(|port| is(from, port) || is(to, port))
            && self.from.is_none_or(|port| is(from, port))
    }

    /// What was captured, at least one direction.
    fn read(&self) -> Result<Vec<Direction>, Failure> {
        let shown = self.file.display();
        let named = |error: io::Error| format!("{shown}: {error}");
        let mut file = Vec::new();
        match self.file.as_os_str() == "-" {
            true => io::stdin().read_to_end(&mut file).map_err(named)?,
            false => File::open(&self.file)
                .and_then(|mut opened| opened.read_to_end(&mut file))
                .map_err(named)?,
        };
        if file.is_empty() {
            return Err(format!("{shown} is empty").into());
        }
        let directions = socketry_wire::read(&file).map_err(|error| format!("{shown}: {error}"))?;
        let mut picked = directions.clone();
        picked.retain(|direction| self.picks(direction));
        if picked.is_empty() {
            let all: Vec<_> = directions.iter().map(words).collect();
            return Err(format!(
                "no stream has this port; there are:\n  {}",
                all.join("\n  ")
            )
            .into());
        }
        Ok(picked)
    }
}

/// A direction, as a heading.
fn words(direction: &Direction) -> String {
    let Direction {
        from, to, bytes, ..
    } = direction;
    match from.is_empty() {
        true => format!("{} bytes", bytes.len()),
        false => format!("{from} to {to}, {} bytes", bytes.len()),
    }
}

fn heading(out: &mut impl Write, direction: &Direction) -> io::Result<()> {
    writeln!(out, "{}", words(direction))?;
    match direction.is_cut {
        true => writeln!(out, "  (what follows was not captured, or not whole)"),
        false => Ok(()),
    }
}

fn decode(
    out: &mut impl Write,
    codec: &CodecSpec,
    (skip, full): (usize, bool),
    capture: &Capture,
) -> Result<ExitCode, Failure> {
    let codec = CodecRegistry::catalogue().build(codec)?;
    let mut code = ExitCode::SUCCESS;
    for direction in capture.read()? {
        heading(out, &direction)?;
        let skip = skip.min(direction.bytes.len());
        for Found { at, len, frame, .. } in frames(codec.clone(), &direction.bytes[skip..]) {
            let at = skip + at;
            match frame {
                Ok(frame) => show(out, at, len, &frame, full)?,
                Err(error) => {
                    writeln!(out, "{at:>8}  {len:>6} bytes are no frame: {error}")?;
                    code = ExitCode::FAILURE;
                }
            }
        }
    }
    Ok(code)
}

/// A frame: its place, the bytes that it takes, and its own bytes.
fn show(out: &mut impl Write, at: usize, len: usize, frame: &[u8], full: bool) -> io::Result<()> {
    const ROW: usize = 16;
    let shown = if full {
        frame.len()
    } else {
        frame.len().min(ROW)
    };
    let mut rows = frame[..shown].chunks(ROW);
    let first = rows.next().unwrap_or_default();
    let more = if shown < frame.len() { " …" } else { "" };
    writeln!(out, "{at:>8}  {len:>6} bytes  {}{more}", row(first))?;
    for next in rows {
        writeln!(out, "{:>24}{}", "", row(next))?;
    }
    Ok(())
}

/// Bytes in hexadecimal digits, and as text.
fn row(bytes: &[u8]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x} ")).collect();
    let text = bytes.iter().map(|byte| match byte {
        b' '..=b'~' => char::from(*byte),
        _ => '.',
    });
    format!("{digits:<48} {}", text.collect::<String>())
}

fn guess(out: &mut impl Write, capture: &Capture) -> Result<ExitCode, Failure> {
    let mut code = ExitCode::SUCCESS;
    for direction in capture.read()? {
        heading(out, &direction)?;
        let guesses = socketry_wire::guess(&direction.bytes);
        if guesses.first().is_none_or(|first| first.fault.is_some()) {
            writeln!(out, "  no codec of the catalogue surely reads all of it")?;
            code = ExitCode::FAILURE;
        }
        let next = guesses.get(1).map_or(0.0, |next| next.bits);
        for (at, guess) in guesses.iter().take(5).enumerate() {
            tell(out, at + 1, guess)?;
            if at == 0 {
                writeln!(out, "     {}", sure(guess, guess.bits - next))?;
                writeln!(out, "     show them: wire decode {}FILE", options(guess))?;
            }
        }
    }
    Ok(code)
}

fn tell(out: &mut impl Write, rank: usize, guess: &Guess) -> io::Result<()> {
    let (likely, others) = guess.names.split_at(guess.likely);
    write!(
        out,
        "{rank:>3}. {}: {}",
        likely.join(" or "),
        counted(guess.frames, "frame")
    )?;
    if let Some((bytes, what)) = guess.opening {
        write!(out, " behind {}, {what}", counted(bytes, "byte"))?;
    }
    if guess.unfinished > 0 {
        write!(
            out,
            ", and {} of another",
            counted(guess.unfinished, "byte")
        )?;
    }
    if let Some((place, what)) = &guess.fault {
        write!(out, ", up to byte {place}: {what}")?;
    }
    writeln!(out)?;
    match others {
        [] => Ok(()),
        _ => writeln!(
            out,
            "     the same frames, though less speaks for it: {}",
            others.join(", ")
        ),
    }
}

fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// What `decode` needs.
fn options(guess: &Guess) -> String {
    let skip = guess.opening.map(|(bytes, _)| format!("--skip {bytes} "));
    format!("--codec '{}' {}", guess.names[0], skip.unwrap_or_default())
}

/// How sure the first guess is, which has `ahead` bits more than the next.
fn sure(guess: &Guess, ahead: f64) -> &'static str {
    let lines = guess.names[0].starts_with("line");
    match (ahead.min(guess.bits - 8.0), guess.likely) {
        _ if guess.fault.is_some() => "not sure: there is a fault; look at what stands there",
        (..8.0, _) => "not sure: too little speaks for it; look at more bytes",
        (_, 2..) => "sure of the frames; the bytes do not tell the names apart",
        _ if lines => "sure of the lines; bodies between them, as in HTTP, are read as lines too",
        _ => "sure",
    }
}
