//! A short run of each app, over any transport and codec that serves it, also of a third party.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use socketry_apps::matrix::App;
use socketry_apps::{AppError, Service, chat, command, file};
use socketry_codec::Codec;
use socketry_transport::Endpoint;
use tokio::task::JoinHandle;

/// The result of a scenario.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The amount: messages that a chat's users received, bytes of a command's output, or bytes of
    /// files.
    pub amount: u64,
    /// How long that took, without the preparation.
    pub elapsed: Duration,
}

impl Outcome {
    /// The amount per second.
    #[expect(clippy::cast_precision_loss, reason = "for people to look at")]
    pub fn rate(&self) -> f64 {
        self.amount as f64 / self.elapsed.as_secs_f64()
    }
}

/// How much work a scenario does.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// How many messages a chat's users send.
    pub messages: u32,
    /// How many lines a command prints.
    pub lines: u32,
    /// How many bytes a file has.
    pub file: u64,
}

impl Effort {
    /// Enough to know that it works.
    pub const SMALL: Effort = Effort {
        messages: 20,
        lines: 5_000,
        file: 2_000_003,
    };
}

/// Runs the scenario of `app` in this process, with a server at `at` and its clients, all of
/// `service`.
///
/// # Errors
/// In words, at the first failure: a message that did not arrive, output that differs, or a file
/// with another digest.
pub async fn run(
    app: App,
    service: &Service,
    at: &Endpoint,
    effort: Effort,
) -> Result<Outcome, AppError> {
    match app {
        App::Chat => chat(service, at, effort.messages).await,
        App::Command => command(service, at, effort.lines).await,
        App::File => file(service, at, effort.file).await,
    }
}

fn expect(what: &str, holds: bool) -> Result<(), AppError> {
    if holds {
        Ok(())
    } else {
        Err(AppError::failed(what))
    }
}

/// A server that runs until it is dropped.
struct Running(JoinHandle<Result<(), AppError>>);

impl Running {
    fn start(serving: impl Future<Output = Result<(), AppError>> + Send + 'static) -> Self {
        Running(tokio::spawn(serving))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Three users and an operator. Each receives the messages of all others.
async fn chat(service: &Service, at: &Endpoint, messages: u32) -> Result<Outcome, AppError> {
    let server = chat::Server::bind(service, at).await?;
    let at = server.local().clone();
    let (console, mut operator) = chat::Console::channel();
    let _running = Running::start(server.run(console, std::future::pending()));

    let mut users = Vec::new();
    for name in ["ann", "bob", "cid"] {
        let mut user = chat::Client::connect(service, &at, Some(name)).await?;
        // A datagram server knows a user only after the user's first message.
        user.send("hello").await?;
        let shown = operator.next().await;
        expect(
            "the operator sees who came",
            shown == Some(format!("{name} : hello")),
        )?;
        users.push(user);
    }
    operator.say("welcome, all").await;
    for user in &mut users {
        hear(user, "welcome, all").await?;
    }
    let begun = Instant::now();
    let mut heard = 0;
    for number in 0..messages {
        let speaker = number as usize % users.len();
        let text = format!("message {number}");
        users[speaker].send(&text).await?;
        operator.next().await;
        for (listener, user) in users.iter_mut().enumerate() {
            if listener != speaker {
                hear(user, &text).await?;
                heard += 1;
            }
        }
    }
    Ok(Outcome {
        amount: heard,
        elapsed: begun.elapsed(),
    })
}

/// Waits for the message that ends in `text`. Messages before it were sent while the user joined.
async fn hear(user: &mut chat::Client, text: &str) -> Result<(), AppError> {
    while let Some(message) = user.recv().await? {
        if message.to_string().ends_with(text) {
            return Ok(());
        }
    }
    Err(AppError::failed(format_args!("nobody said {text:?}")))
}

/// A command with both outputs and an exit code, one with much output, and one with none, over one
/// connection.
async fn command(service: &Service, at: &Endpoint, lines: u32) -> Result<Outcome, AppError> {
    let server = command::Server::bind(service, at, command::Policy::AllowAny).await?;
    let at = server.local().clone();
    let _running = Running::start(server.run(std::future::pending()));
    let mut client = command::Client::connect(service, &at)
        .await?
        .quiet_gap(Duration::from_millis(100));

    let (out, err, exit) = output_of(&mut client, "echo out; echo err >&2; exit 3").await?;
    match exit {
        // The codecs of the tutorial answer with standard error if there is any, and carry no exit
        // code.
        command::Exit::Unknown => expect("standard error is the answer", out == b"err\n")?,
        exit => {
            expect("the outputs come apart", out == b"out\n" && err == b"err\n")?;
            expect("the exit code comes", exit == command::Exit::Code(3))?;
        }
    }
    let begun = Instant::now();
    let (out, _, exit) = output_of(&mut client, &format!("seq {lines}")).await?;
    let mut elapsed = begun.elapsed();
    if exit == command::Exit::Unknown {
        elapsed = elapsed.saturating_sub(Duration::from_millis(100));
    }
    let expected: String = (1..=lines).map(|number| format!("{number}\n")).collect();
    expect("all output arrives", out == expected.as_bytes())?;
    let (out, _, exit) = output_of(&mut client, "true").await?;
    expect(
        "no output is told as such",
        exit != command::Exit::Unknown || out == b"\n",
    )?;
    Ok(Outcome {
        amount: expected.len() as u64,
        elapsed,
    })
}

async fn output_of(
    client: &mut command::Client,
    line: &str,
) -> Result<(Vec<u8>, Vec<u8>, command::Exit), AppError> {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = client
        .run(line, |stream, bytes| {
            match stream {
                command::Stream::Stdout => out.extend_from_slice(bytes),
                command::Stream::Stderr => err.extend_from_slice(bytes),
            }
            Ok(())
        })
        .await?;
    Ok((out, err, exit))
}

/// A file is sent to the server and fetched again. Over `raw`, which has no uploads, it is at the
/// server already.
async fn file(service: &Service, at: &Endpoint, size: u64) -> Result<Outcome, AppError> {
    let place = tempfile::tempdir()?;
    let root = place.path().join("root");
    fs::create_dir(&root)?;
    // A codec without frame boundaries has no header that could name a file.
    let codec = service
        .codecs
        .build(&service.codec)
        .map_err(AppError::usage)?;
    let uploads = codec.properties().boundaries;
    let source = if uploads {
        place.path().join("data.bin")
    } else {
        root.join("data.bin")
    };
    write_file(&source, size)?;

    let server = file::Server::bind(service, at, &root).await?;
    let at = server.local().clone();
    let _running = Running::start(server.run(std::future::pending()));
    let mut client = file::Client::connect(service, &at).await?;

    let (mut amount, mut elapsed, mut sent) = (0, Duration::ZERO, None);
    if uploads {
        let put = client.put(&source, |_, _| ()).await?;
        expect("the server confirms the digest", put.confirmed)?;
        amount += put.bytes;
        elapsed += put.elapsed;
        sent = Some(put.blake3);
    }
    let names: Vec<_> = client
        .list("/")
        .await?
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    expect(
        "the file is listed, and nothing else",
        names == ["data.bin"],
    )?;
    let back = place.path().join("back.bin");
    let got = client.get("data.bin", &back, |_, _| ()).await?;
    expect(
        "the digest is the same both ways",
        sent.is_none_or(|sent| sent == got.blake3),
    )?;
    expect(
        "the file has all its bytes",
        got.bytes == size && fs::metadata(&back)?.len() == size,
    )?;
    expect("the bytes are the same", same(&source, &back)?)?;
    Ok(Outcome {
        amount: amount + got.bytes,
        elapsed: elapsed + got.elapsed,
    })
}

/// Writes a file of `size` bytes in which no two blocks are equal, so that a lost, repeated or
/// misplaced block shows.
fn write_file(path: &Path, size: u64) -> io::Result<()> {
    let mut file = io::BufWriter::with_capacity(1 << 20, fs::File::create(path)?);
    let mut left = size;
    let mut number = 0u64;
    while left > 0 {
        let block = number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes();
        let take = block.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        file.write_all(&block[..take])?;
        left -= take as u64;
        number += 1;
    }
    file.flush()
}

fn same(one: &Path, two: &Path) -> io::Result<bool> {
    Ok(fs::read(one)? == fs::read(two)?)
}
