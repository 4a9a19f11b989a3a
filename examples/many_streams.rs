//! One connection, many streams: a download that the client does not read does not hold up the
//! questions beside it, and each end may say why it leaves.

use std::io;

use socketry_codec::{Framed, Line};
use socketry_transport::{
    Closed, Connection, MemConnection, MemMux, MuxListener, MuxTransport, SendExt,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mux = MemMux::new();
    let mut listener = mux.listen(&"mem-mux://*?streams=8".parse()?).await?;
    let mut client = mux.connect(listener.local()).await?;
    let serving = tokio::spawn(serve(listener.accept().await?));

    // A stream that the server fills and the client does not read.
    let mut download = Framed::new(client.open().await?, Line::new());
    download.send(b"download").await?;

    for question in ["one", "two", "three"] {
        let mut stream = Framed::new(client.open().await?, Line::new());
        stream.send(question.as_bytes()).await?;
        println!("{:?}", stream.recv().await?.map(String::from_utf8_lossy));
    }

    // Every stream ends with the connection, and each end knows why.
    client.close(7, "the client has seen enough");
    let error = serving.await?.expect_err("the client closed with a code");
    let closed = Closed::of(&error).ok_or("it says why")?;
    println!("the server learned {}: {}", closed.code, closed.reason);
    Ok(())
}

/// Answers each stream in a task of its own, until the client leaves.
async fn serve(mut connection: MemConnection) -> io::Result<()> {
    while let Some(stream) = connection.accept().await? {
        tokio::spawn(async move {
            let mut stream = Framed::new(stream, Line::new());
            match stream.recv_bytes().await {
                Ok(Some(asked)) if asked == "download" => {
                    let mut socket = stream.into_socket();
                    while socket.send(&[0; 4096]).await.is_ok() {}
                }
                Ok(Some(asked)) => drop(stream.send(&asked).await),
                Ok(None) | Err(_) => {}
            }
        });
    }
    Ok(())
}
