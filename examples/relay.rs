//! Passes frames between any two transports and codecs, both ways.
//!
//! ```sh
//! cargo run --example relay -- tcp://127.0.0.1:9000 --codec line udp://127.0.0.1:9001 --codec raw
//! ```
//!
//! It listens at the first URL, and connects to the second one for each client. Without arguments
//! it shows its help.

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use socketry::codec::{CodecRegistry, CodecSpec};
use socketry::prelude::*;
use socketry::service::{Limits, Relay, Server};
use socketry::transport::{Endpoint, Registry};
use socketry_apps::matrix::{pinned, transports};

type Failure = Box<dyn Error + Send + Sync>;

/// Passes frames between any two transports and codecs, both ways
///
/// URLs are those of README.md: tcp://HOST:PORT, udp://, unix:///PATH, tls://, stdio:// and others.
/// Codecs are those of docs/catalogue.md. Anybody who reaches the first URL is let through.
///
///   relay tcp://127.0.0.1:9000 --codec line udp://127.0.0.1:9001 --codec raw
///   relay --dial stdio:// --codec line tcp://127.0.0.1:9000 --codec netstring
#[derive(Clone, Parser)]
#[command(name = "relay", arg_required_else_help = true, verbatim_doc_comment)]
struct Arguments {
    /// Where to listen, with port 0 for a free port
    #[arg(value_name = "LISTEN_URL")]
    near: Endpoint,
    /// Where to connect to for each client
    #[arg(value_name = "CONNECT_URL")]
    far: Endpoint,
    /// Given once, the codec of both sides; given twice, that of the first URL and that of the
    /// second: line, struct:>H, mqtt, …
    #[arg(long, value_name = "NAME", default_value = "raw")]
    codec: Vec<CodecSpec>,
    /// Connect to both, relay once, and end
    #[arg(long)]
    dial: bool,
    /// Count a frame that cannot be read, carried or delivered, and go on; by default it ends the
    /// connection, as does a fault behind which no frame can be found
    #[arg(long)]
    pass_over: bool,
    /// How long answers may still come after the other side has ended or failed, where no end can
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    linger: Duration,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("relay: {error}");
            ExitCode::FAILURE
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|_| "it is no number".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

async fn run(arguments: Arguments) -> Result<(), Failure> {
    let setup = Arc::new(Setup::new(arguments)?);
    let (near, at) = (setup.codec(0)?, setup.arguments.near.clone());
    if setup.arguments.dial {
        let socket = setup.transports.connect(at).await?;
        return setup.relay(Framed::new(socket, near)).await;
    }
    // At an address with TLS it tells its pin, which a client needs.
    let listener = pinned(setup.transports.listen(at).await?);
    println!("listening on {}", listener.local());
    let server = Server::new(listener).codec(near).stop_on_signals();
    // A relay does not know how long its two sides may be silent.
    let limits = Limits {
        first_frame: None,
        between_frames: None,
        ..Limits::default()
    };
    let stopper = server.stopper();
    let serving = server.limits(limits).serve(move |client| {
        let setup = Arc::clone(&setup);
        async move {
            let from = client.peer().redacted().to_string();
            let relayed = setup.relay(client).await;
            relayed.inspect_err(|error| eprintln!("{from}: {error}"))
        }
    });
    tokio::spawn(async move {
        stopper.stopping().await;
        eprintln!("stopping: clients may finish; Ctrl-C again cuts them");
    });
    serving.await?;
    Ok(())
}

/// What all clients share.
struct Setup {
    arguments: Arguments,
    transports: Registry,
}

impl Setup {
    /// What can be found out before anybody connects.
    fn new(arguments: Arguments) -> Result<Self, Failure> {
        if arguments.codec.len() > 2 {
            return Err("--codec is given at most twice: once for each URL".into());
        }
        let transports = transports();
        if transports.get(arguments.far.scheme()).is_none() {
            let all: Vec<_> = transports.schemes().collect();
            let (far, all) = (arguments.far.redacted(), all.join(", "));
            return Err(format!("{far}: there is no such transport; there are {all}").into());
        }
        let setup = Setup {
            arguments,
            transports,
        };
        setup.codec(1)?;
        Ok(setup)
    }

    /// The codec of one side.
    fn codec(&self, side: usize) -> Result<BoxCodec, Failure> {
        let names = &self.arguments.codec;
        let name = names.get(side).unwrap_or(&names[0]);
        Ok(CodecRegistry::catalogue().build(name)?)
    }

    /// Connects to the far side, relays until both have ended, and tells how much it was.
    async fn relay<S: Socket>(&self, mut near: Framed<S>) -> Result<(), Failure> {
        let from = near.peer().redacted().to_string();
        // A client whose frames go nowhere must not take that for an end.
        let _ = near.socket_mut().abort_on_drop(true);
        let socket = self.transports.connect(self.arguments.far.clone()).await?;
        let relay = Relay::new(near, Framed::new(socket, self.codec(1)?))
            .passing_over(self.arguments.pass_over)
            .linger(self.arguments.linger);
        let traffic = relay.traffic();
        let ended = relay.run().await;
        let flows = [("sent on", &traffic.to_far), ("answered", &traffic.to_near)];
        let [there, back] = flows.map(|(verb, flow)| {
            let (frames, bytes, lost) = (flow.frames(), flow.bytes(), flow.lost());
            format!("{frames} frames of {bytes} bytes {verb}, {lost} passed over")
        });
        eprintln!("{from}: {there}; {back}");
        Ok(ended?)
    }
}
