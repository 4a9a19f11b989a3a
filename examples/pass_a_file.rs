//! An open file goes to another process along a Unix socket, with a JSON frame that says how many
//! files it takes.

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("descriptors are passed on Linux only");
}

#[cfg(target_os = "linux")]
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    linux::run().await
}

#[cfg(target_os = "linux")]
mod linux {
    use std::error::Error;
    use std::fs::File;
    use std::io::Read;

    use serde::{Deserialize, Serialize};
    use socketry_codec::{Framed, Json};
    use socketry_transport::{BoxSocket, Descriptors, Endpoint, Half, Listener, connect, listen};

    #[derive(Debug, Deserialize, Serialize)]
    struct Request {
        count_bytes_of: Vec<String>,
    }

    #[derive(Debug, Deserialize, Serialize)]
    struct Answer {
        counts: Vec<usize>,
    }

    pub(super) async fn run() -> Result<(), Box<dyn Error + Send + Sync>> {
        // A name in Linux' abstract space leaves no file. At most 8 files wait in each direction.
        let at: Endpoint =
            format!("unix://@pass-a-file-{}?descriptors=8", std::process::id()).parse()?;
        let mut listener = listen(&at).await?;
        let client = tokio::spawn(ask(at));
        let mut server = Framed::new(listener.accept().await?, Json::default());
        while let Some(request) = server.recv_json::<Request>().await? {
            // They have arrived with the frame, or they were never sent.
            let files = passed(&server)?.take(request.count_bytes_of.len())?;
            let mut counts = Vec::new();
            for descriptor in files {
                let mut bytes = Vec::new();
                File::from(descriptor).read_to_end(&mut bytes)?;
                counts.push(bytes.len());
            }
            server.send_json(&Answer { counts }).await?;
        }
        client.await?
    }

    async fn ask(to: Endpoint) -> Result<(), Box<dyn Error + Send + Sync>> {
        let mut client = Framed::new(connect(&to).await?, Json::default());
        let names = ["/proc/self/status", "/proc/self/comm"];
        for name in names {
            passed(&client)?.attach(File::open(name)?)?;
        }
        let count_bytes_of = names.map(str::to_owned).to_vec();
        client.send_json(&Request { count_bytes_of }).await?;
        let answer: Option<Answer> = client.recv_json().await?;
        println!("the server says {answer:?} of {names:?}");
        Ok(())
    }

    fn passed(framed: &Framed<BoxSocket, Json>) -> Result<&Descriptors, &'static str> {
        framed
            .socket()
            .info()
            .get()
            .ok_or("the URL has no option descriptors")
    }
}
