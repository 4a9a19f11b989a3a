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
#[derive(Clone, Parser)]
#[command(name = "relay", arg_required_else_help = true)]
struct Arguments {
    /// Where to listen, with port 0 for a free port
    #[arg(value_name = "LISTEN_URL")]
    near: Endpoint,
    /// Where to connect to for each client
    #[arg(value_name = "CONNECT_URL")]
    far: Endpoint,
    /// The codec of the first URL, and given again that of the second: line, struct:>H, mqtt, …
    #[arg(long, value_name = "NAME", default_value = "raw")]
    codec: Vec<CodecSpec>,
    /// Connect to both, relay once, and end
    #[arg(long)]
    dial: bool,
    /// Count what cannot be read, carried or delivered, and go on; by default it ends the
    /// connection
    #[arg(long)]
    pass_over: bool,
    /// How long datagrams may still come after the other side has ended
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0)]
    linger: f64,
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

async fn run(arguments: Arc<Arguments>) -> Result<(), Failure> {
    let (near, _) = (arguments.codec(0)?, arguments.codec(1)?);
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
    let serving = server.limits(limits).serve(move |client| {
        let arguments = Arc::clone(&arguments);
        async move { arguments.relay(client).await }
    });
    serving.await?;
    Ok(())
}

impl Arguments {
    /// The codec of one side.
    fn codec(&self, side: usize) -> Result<BoxCodec, Failure> {
        if self.codec.len() > 2 {
            return Err("--codec is given at most twice: once for each URL".into());
        }
        let name = self.codec.get(side).unwrap_or(&self.codec[0]);
        Ok(CodecRegistry::catalogue().build(name)?)
    }

    /// Connects to the far side, relays until both have ended, and tells how much it was.
    async fn relay<S: Socket>(&self, near: Framed<S>) -> Result<(), Failure> {
        let from = near.peer().redacted().to_string();
        let socket = transports().connect(self.far.clone()).await?;
        let relay = Relay::new(near, Framed::new(socket, self.codec(1)?))
            .passing_over(self.pass_over)
            .linger(Duration::try_from_secs_f64(self.linger)?);
        let traffic = relay.traffic();
        let ended = relay.run().await;
        for (to, flow) in [("there", &traffic.to_far), ("back", &traffic.to_near)] {
            let (frames, bytes, lost) = (flow.frames(), flow.bytes(), flow.lost());
            eprintln!("{from}: {to} {frames} frames, {bytes} bytes; {lost} passed over");
        }
        if let Err(error) = &ended {
            eprintln!("{from}: {error}");
        }
        Ok(ended?)
    }
}
