//! The process that is started with sockets.

use socketry_transport::{
    BoxSocket, Endpoint, Half, Listener, Received, RecvExt, Result, SendExt, connect, listen,
};

/// Echoes once for each line of `orders`: `listen URL` or `connect URL`. Prints errors.
pub(crate) fn run(orders: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    for order in orders.lines() {
        if let Err(error) = runtime.block_on(obey(order)) {
            eprintln!("{error}");
        }
    }
    // A thread that reads a file would keep the process.
    runtime.shutdown_background();
}

async fn obey(order: &str) -> Result<()> {
    let (how, url) = order.split_once(' ').unwrap();
    let at: Endpoint = url.parse()?;
    let socket = match how {
        "connect" => connect(at).await?,
        _ => listen(at).await?.accept().await?,
    };
    println!("not for the peer");
    echo(socket).await;
    Ok(())
}

async fn echo(mut socket: BoxSocket) {
    let mut buf = [0; 4096];
    let ends = socket.shape().is_reliable();
    while let Ok((len, Received::Data | Received::Cut(_))) = socket.recv(&mut buf).await {
        socket.send_all(&buf[..len]).await.unwrap();
        if !ends {
            break;
        }
    }
    socket.finish().await.unwrap();
}
