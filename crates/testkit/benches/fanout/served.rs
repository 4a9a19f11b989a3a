//! Our servers, as processes of this bench. They end with their standard input.

use std::io::Read;
use std::sync::Arc;

use socketry_apps::Service;
use socketry_apps::chat::{self, Console};
use socketry_codec::{FrameError, Framed, Struct};
use socketry_service::{Format, Hub, HubLimits, Publication};
use socketry_transport::{Listener, Socket, TcpTransport, Transport};
use tokio::sync::Semaphore;

/// How many bytes of messages are on their way to readers.
const IN_FLIGHT: usize = 256 << 10;

pub(crate) fn serve(kind: &str) {
    // The process ends with its parent, however that ends.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    match kind {
        "Hub" => runtime.block_on(hub()),
        "Chat" => runtime.block_on(chat()),
        "Broadcast" => runtime.block_on(crate::broadcast::serve()),
        other => panic!("there is no server {other}"),
    }
}

pub(crate) fn codec() -> Struct {
    Struct::new("<I".parse().unwrap())
}

async fn hub() {
    let at = "tcp://127.0.0.1:0".parse().unwrap();
    let mut listener = TcpTransport::default().listen(&at).await.unwrap();
    println!("{}", &listener.local().to_string()["tcp://".len()..]);
    let hub = Hub::new(HubLimits::default());
    let format = hub.format(codec());
    let pace = Arc::new(Semaphore::new(IN_FLIGHT));
    loop {
        let client = Framed::new(listener.accept().await.unwrap(), codec());
        tokio::spawn(converse(hub.clone(), format, Arc::clone(&pace), client));
    }
}

async fn converse<S: Socket>(
    hub: Hub,
    format: Format,
    pace: Arc<Semaphore>,
    mut client: Framed<S, Struct>,
) -> Result<(), FrameError> {
    if client.recv().await? == Some(b"sub") {
        let (mut receiving, sending) = client.split();
        let reader = hub.join(sending.into_socket(), format).paces().start();
        reader.subscribe("t").unwrap();
        while receiving.recv().await?.is_some() {}
        return Ok(());
    }
    // Nothing is lost: the publisher waits for its readers.
    while let Some(frame) = client.recv().await? {
        let cost = u32::try_from(frame.len() + HubLimits::OVERHEAD).unwrap();
        let permit = Arc::clone(&pace).acquire_many_owned(cost).await.unwrap();
        hub.put(Publication::to_topic("t", frame).receipt(permit))
            .unwrap();
    }
    Ok(())
}

async fn chat() {
    let service = Service::with_codec("struct:<I").unwrap();
    let server = chat::Server::bind(&service, &"tcp://127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    println!("{}", &server.local().to_string()["tcp://".len()..]);
    let (console, mut operator) = Console::channel();
    tokio::spawn(async move { while operator.next().await.is_some() {} });
    server
        .max_clients(2000)
        .run(console, std::future::pending())
        .await
        .unwrap();
}
