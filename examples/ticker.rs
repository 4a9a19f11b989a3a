//! A ticker in one file: prices for any number of readers, over TCP in lines and in memory with
//! headers, at once. A reader subscribes to the symbols that it names. One that falls behind is
//! told how many prices it has missed, and delays nobody.
//!
//! ```sh
//! cargo run --example ticker                 # runs by itself and ends
//! ```
//!
//! While it runs, `nc 127.0.0.1 PORT` and a line with a symbol would do, too.

use std::time::Duration;

use socketry::codec::{Line, Struct};
use socketry::service::{Format, Hub, HubLimits, Server};
use socketry::transport::{Listener, Registry, Socket};
use socketry::{BoxCodec, Endpoint, Framed};

type Problem = Box<dyn std::error::Error + Send + Sync>;

const SYMBOLS: [&str; 2] = ["EURUSD", "GBPUSD"];

/// Gives each client what it subscribes to, until it has no more to say.
async fn serve<S: Socket>(
    hub: Hub,
    format: Format,
    client: Framed<S, BoxCodec>,
) -> Result<(), Problem> {
    let (mut asking, prices) = client.split();
    let reader = hub
        .join(prices.into_socket(), format)
        .told(|missed| Some(format!("… {missed} prices missed").into()))
        .start();
    while let Some(symbol) = asking.recv().await? {
        reader.subscribe(&String::from_utf8_lossy(symbol))?;
        reader.send(&[b"subscribed to ", symbol].concat())?;
    }
    reader.finish().await;
    Ok(())
}

/// Serves one address with one codec.
async fn listen(hub: &Hub, at: &str, codec: BoxCodec) -> Result<Endpoint, Problem> {
    let listener = Registry::standard().listen(at).await?;
    let local = listener.local().clone();
    let (hub, format) = (hub.clone(), hub.format(codec.clone()));
    let server = Server::new(listener).codec(codec);
    tokio::spawn(server.serve(move |client| serve(hub.clone(), format, client)));
    Ok(local)
}

/// A client: subscribes, and prints the prices that it gets.
async fn read(to: Endpoint, codec: BoxCodec, symbol: &str, count: usize) -> Result<(), Problem> {
    let mut client = Framed::new(socketry::connect(to.clone()).await?, codec);
    client.send(symbol.as_bytes()).await?;
    for _ in 0..=count {
        let price = client.recv().await?.ok_or("the ticker has ended")?;
        println!("{to}: {}", String::from_utf8_lossy(price));
    }
    Ok(client.finish().await?)
}

#[tokio::main]
async fn main() -> Result<(), Problem> {
    let hub = Hub::new(HubLimits::default());
    let lines = listen(&hub, "tcp://127.0.0.1:0", Box::new(Line::new())).await?;
    let frames = listen(&hub, "mem://ticker", Box::new(Struct::default())).await?;

    // It never waits for a reader, so any task may publish.
    let ticking = tokio::spawn({
        let hub = hub.clone();
        async move {
            for tick in 0.. {
                for symbol in SYMBOLS {
                    let price = format!("{symbol} 1.{:04}", 800 + tick % 100);
                    hub.publish(symbol, price.as_bytes())?;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Ok::<_, Problem>(())
        }
    });

    let readers = tokio::try_join!(
        read(lines.clone(), Box::new(Line::new()), "EURUSD", 3),
        read(lines, Box::new(Line::new()), "GBPUSD", 3),
        read(frames, Box::new(Struct::default()), "EURUSD", 3),
    );
    readers?;
    ticking.abort();
    let summary = hub.close(Duration::from_secs(1)).await;
    println!("{} readers drained, {} cut", summary.drained, summary.cut);
    Ok(())
}
