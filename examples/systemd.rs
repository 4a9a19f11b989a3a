//! A service for systemd: its sockets come from a socket unit, and it tells that it is ready, that
//! it lives, and that it stops. `docs/guide.md` has the units.
//!
//! Without a service manager it listens at a free port, and tells nobody. `systemd-socket-activate
//! -l 9000 target/debug/examples/systemd` shows the sockets without a unit. Given the argument
//! `serve`, it goes on until a signal comes; without, it answers itself once and ends.

use std::error::Error;
use std::time::Duration;

use socketry::codec::{FrameError, Line};
use socketry::prelude::*;
use socketry::service::{Client, Notify, Server};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // All sockets of the unit, or an own one.
    let activated = std::env::var_os("LISTEN_FDS").is_some();
    let listener = listen(if activated {
        "systemd://"
    } else {
        "tcp://127.0.0.1:0"
    })
    .await?;
    let at = listener.local().clone();
    println!("listening on {at}");

    // A beat means: a client of this service was answered.
    let client = Client::builder(at)?.codec(Line::new()).start()?;
    let own = client.clone();
    let notify = Notify::from_env()?.healthy_if(move || {
        let own = own.clone();
        async move { own.call("PING").await.is_ok() }
    });
    notify.status("answers lines").await?;

    let server = Server::new(listener)
        .codec(Line::new())
        .stop_on_signals()
        .notify(notify);
    let stopper = server.stopper();
    let serving = tokio::spawn(
        server.answer(async |request| Ok::<_, FrameError>(request.frame.to_ascii_uppercase())),
    );

    if std::env::args().nth(1).as_deref() != Some("serve") {
        let answer = tokio::time::timeout(Duration::from_secs(10), client.call("hello")).await??;
        println!("answered {}", String::from_utf8_lossy(&answer));
        client.close().await;
        stopper.stop();
    }
    let summary = serving.await??;
    println!(
        "{} connections, and {} were cut",
        summary.served, summary.cut
    );
    Ok(())
}
