//! The client of the README's key-value service: `cargo run --example client -- URL`.

use socketry::codec::{Json, Line};
use socketry::service::Client;

#[derive(serde::Serialize)]
enum Request<'a> {
    Get(&'a str),
    Set(&'a str, &'a str),
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).ok_or("give it a URL")?;
    let client = Client::builder(url)?.codec(Line::new()).start()?; // it connects, also again
    let store = client.typed::<Json>().idempotent(); // so that a request may be sent again
    let set = store.call(&Request::Set("key", "value"));
    let get = store.call(&Request::Get("key"));
    let (_, value): (Option<String>, Option<String>) = tokio::try_join!(set, get)?; // one write
    assert_eq!(value.as_deref(), Some("value"));
    Ok(())
}
