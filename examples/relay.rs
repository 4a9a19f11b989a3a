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
use socketry::transport::Endpoint;
use socketry_apps::matrix::transports;

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
    match run(Arc::new(Arguments::parse())).await {
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

async fn run(arguments: Arc<Arguments>) -> Result<(), Failure> {
    let near = arguments.checked()?;
    if arguments.dial {
        let socket = transports().connect(arguments.near.clone()).await?;
        return arguments.relay(Framed::new(socket, near)).await;
    }
    let listener = transports().listen(arguments.near.clone()).await?;
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
        let arguments = Arc::clone(&arguments);
        async move {
            let from = client.peer().redacted().to_string();
            let relayed = arguments.relay(client).await;
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

impl Arguments {
    /// What can be found out before anybody connects; the codec of the near side.
    fn checked(&self) -> Result<BoxCodec, Failure> {
        if self.codec.len() > 2 {
            return Err("--codec is given at most twice: once for each URL".into());
        }
        if transports().get(self.far.scheme()).is_none() {
            let all: Vec<_> = transports().schemes().map(str::to_owned).collect();
            let (far, all) = (self.far.redacted(), all.join(", "));
            return Err(format!("{far}: there is no such transport; there are {all}").into());
        }
        self.codec(1)?;
        self.codec(0)
    }

    /// The codec of one side.
    fn codec(&self, side: usize) -> Result<BoxCodec, Failure> {
        let name = self.codec.get(side).unwrap_or(&self.codec[0]);
        Ok(CodecRegistry::catalogue().build(name)?)
    }

    /// Connects to the far side, relays until both have ended, and tells how much it was.
    async fn relay<S: Socket>(&self, mut near: Framed<S>) -> Result<(), Failure> {
        let from = near.peer().redacted().to_string();
        // A client whose frames go nowhere must not take that for an end.
        let _ = near.socket_mut().abort_on_drop(true);
        let socket = transports().connect(self.far.clone()).await?;
        let relay = Relay::new(near, Framed::new(socket, self.codec(1)?))
            .passing_over(self.pass_over)
            .linger(self.linger);
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
