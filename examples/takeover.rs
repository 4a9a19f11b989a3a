//! A service that is replaced while clients connect, and none of them is refused.
//!
//! Without arguments it shows that: it starts a server, then a second one that takes over, and
//! counts whose answers its clients get. `takeover serve DIRECTORY` is the server alone: start it
//! twice in two terminals, and the first one ends.

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};

use socketry::codec::{FrameError, Line};
use socketry::prelude::*;
use socketry::service::Server;
use socketry::transport::{Listeners, Registry, Takeover};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    match &arguments[..] {
        [] => show().await,
        [serve, directory] if serve == "serve" => self::serve(Path::new(directory)).await,
        _ => Err("give it no arguments, or: serve DIRECTORY".into()),
    }
}

fn at(directory: &Path, name: &str) -> String {
    format!("unix://{}", directory.join(name).display())
}

/// The server: four lines are there for the takeover.
async fn serve(directory: &Path) -> Result<(), Box<dyn Error>> {
    let takeover = Takeover::at(&*at(directory, "takeover.sock")).await?; // 1
    let registry = takeover.over(Registry::standard()); // 2
    let listeners = Listeners::at(&registry, [&*at(directory, "app.sock")]).await?;
    let server = Server::new(listeners).codec(Line::new()).stop_on_signals();

    let successor = takeover.ready().await?; // 3: an earlier server stops now
    println!("ready");
    let number = std::process::id().to_string();
    let summary = server
        .stop_when(successor.arrived()) // 4: until a later one is ready
        .answer(move |_| {
            let number = number.clone();
            async move { Ok::<_, FrameError>(number) }
        })
        .await?;
    println!(
        "{} connections, and {} were cut",
        summary.served, summary.cut
    );
    Ok(())
}

async fn show() -> Result<(), Box<dyn Error>> {
    let directory = Directory::new()?;
    let mut first = start(&directory.0).await?;
    let (mut answers, mut second) = (BTreeMap::<String, usize>::new(), None);
    for round in 0..600 {
        if round == 200 {
            second = Some(start(&directory.0).await?);
        }
        let mut client = Framed::new(connect(&*at(&directory.0, "app.sock")).await?, Line::new());
        client.send(b"who is there?").await?;
        let answer = client.recv().await?.ok_or("the connection ended")?;
        let number = String::from_utf8_lossy(answer).into_owned();
        *answers.entry(number).or_default() += 1;
    }
    assert!(first.wait().await?.success(), "it has ended by itself");
    for (number, count) in &answers {
        println!("process {number} answered {count} clients");
    }
    assert_eq!(answers.values().sum::<usize>(), 600);
    if let Some(mut second) = second {
        second.kill().await?;
    }
    Ok(())
}

/// Starts a server, and waits until it is ready.
async fn start(directory: &Path) -> Result<Child, Box<dyn Error>> {
    let mut child = Command::new(env::current_exe()?)
        .arg("serve")
        .arg(directory)
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let output = child.stdout.take().ok_or("it has an output")?;
    let mut lines = BufReader::new(output).lines();
    let first = lines.next_line().await?;
    if first.as_deref() != Some("ready") {
        return Err("the server has ended".into());
    }
    let number = child.id().unwrap_or_default();
    tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            println!("process {number}: {line}");
        }
    });
    Ok(child)
}

/// A directory that is removed at the end.
struct Directory(PathBuf);

impl Directory {
    fn new() -> std::io::Result<Self> {
        let path = env::temp_dir().join(format!("takeover-{}", std::process::id()));
        std::fs::create_dir(&path)?;
        Ok(Directory(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
