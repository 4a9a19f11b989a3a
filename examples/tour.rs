//! The tour: a chat, a command and a file of 64 MiB over every transport and codec that serves
//! them, in one process.
//!
//! ```sh
//! cargo run --release --example tour
//! ```
//!
//! It needs no preparation and leaves nothing behind. `socketry_testkit::scenario` has the runs of
//! the apps; this prints their results.

use std::process::ExitCode;
use std::time::Instant;

use socketry_apps::matrix::{self, App};
use socketry_apps::{AppError, Service};
use socketry_testkit::scenario::{self, Effort, Outcome};
use socketry_testkit::{Places, in_time};

const EFFORT: Effort = Effort {
    messages: 200,
    lines: 200_000,
    file: 64 << 20,
};

#[tokio::main]
async fn main() -> ExitCode {
    let begun = Instant::now();
    let (mut ran, mut failed) = (0, Vec::new());
    for app in App::ALL {
        println!("\n{}", heading(app));
        for scheme in matrix::SCHEMES.into_iter().chain(matrix::TLS_SCHEMES) {
            let mut row = format!("  {scheme:<12}");
            for codec in matrix::CODECS {
                let cell = match run(app, scheme, codec).await {
                    Ok(Some(outcome)) => {
                        ran += 1;
                        rate(app, outcome)
                    }
                    Ok(None) => "·".to_owned(),
                    Err(error) => {
                        failed.push(format!("{app} over {scheme} with {codec}: {error}"));
                        "failed".to_owned()
                    }
                };
                row.push_str(&format!("{cell:>12}"));
            }
            println!("{row}");
        }
    }
    println!(
        "\n{ran} pairings ran in {:.1} s. A dot is a pairing that is refused when it starts:",
        begun.elapsed().as_secs_f64()
    );
    println!(
        "datagrams carry no files, UDP no commands, and a file needs a header that can name it."
    );
    for line in &failed {
        eprintln!("FAILED: {line}");
    }
    if failed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// One cell: a server and its clients, which share only a URL and the name of a codec.
async fn run(app: App, scheme: &str, codec: &str) -> Result<Option<Outcome>, AppError> {
    let service = Service::with_codec(codec)?;
    if service.check(app, scheme).is_err() {
        return Ok(None);
    }
    let places = Places::new();
    let at = places.free(scheme);
    let running = scenario::run(app, &service, &at, EFFORT);
    in_time("a pairing of the tour", running).await.map(Some)
}

fn heading(app: App) -> String {
    let what = match app {
        App::Chat => "chat: three users and an operator, messages heard",
        App::Command => "command: both outputs, exit code, and the output of `seq 200000`",
        App::File => "file: 64 MiB there and back, with the same digest (raw: back only)",
    };
    let codecs = matrix::CODECS.map(|codec| format!("{codec:>12}")).concat();
    format!("{what}\n  {:<12}{codecs}", "")
}

fn rate(app: App, outcome: Outcome) -> String {
    match app {
        App::Chat => format!("{:.1} k/s", outcome.rate() / 1e3),
        App::Command | App::File => format!("{:.0} MB/s", outcome.rate() / 1e6),
    }
}
