//! A server in a process of its own, so that its memory can be measured. The process is this test
//! program again.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use socketry_apps::matrix::App;
use socketry_apps::{Service, chat, command, file};
use socketry_testkit::Places;
use socketry_transport::Endpoint;

use crate::victims::{TLS, free, serves, service};

/// The app and codec that the other process serves, and its directory.
const ASKED: &str = "SOCKETRY_ATTACKED";

/// An app that another process serves until this is dropped.
pub(crate) struct Served {
    process: Child,
    _places: Places,
    pub(crate) app: App,
    pub(crate) service: Service,
    pub(crate) at: Endpoint,
    /// Its peak memory before the attack.
    before: u64,
}

impl Served {
    /// Starts it, and has it serve one client, so that the memory that it needs anyway is not
    /// counted.
    pub(crate) async fn start(app: App, scheme: &str, codec: &str, root: &Path) -> Self {
        let places = Places::new();
        let at = free(&places, scheme);
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "served::in_a_process_of_its_own", "--nocapture"])
            .env(ASKED, format!("{app} {codec} {at} {}", root.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(process.stdout.take().unwrap());
        let told = |line: String| {
            line.split_once("listening on ")
                .map(|(_, url)| url.to_owned())
        };
        let url = said.lines().map_while(Result::ok).find_map(told);
        let mut served = Served {
            process,
            _places: places,
            app,
            service: service(codec),
            at: url.expect("it listens").parse().unwrap(),
            before: 0,
        };
        served.is_alive().await;
        served.before = served.peak();
        served
    }

    /// Fails unless it serves a well-behaved client.
    pub(crate) async fn is_alive(&self) {
        serves(self.app, &self.service, &self.at).await;
    }

    /// By how many bytes its peak memory has grown since it started.
    pub(crate) fn grown(&self) -> u64 {
        self.peak() - self.before
    }

    fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: u64 = peak
            .unwrap()
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .unwrap();
        kib << 10
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Not a test: [`Served`] starts this. It ends with its standard input, and so with the process
/// that started it.
#[test]
fn in_a_process_of_its_own() {
    let Ok(asked) = std::env::var(ASKED) else {
        return;
    };
    let mut words = asked.splitn(4, ' ');
    let mut word = || words.next().unwrap();
    let (app, service, at, root) = (word(), service(word()), word(), word());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(serve(app, &service, at, root));
}

/// Tells where a client finds the server, and by which key it knows it.
#[expect(clippy::print_stdout, reason = "the other process reads it")]
fn tell(local: &Endpoint) {
    let pinned = TLS.pinned(local);
    println!("listening on {}", pinned.as_ref().unwrap_or(local));
}

async fn serve(app: &str, service: &Service, at: &str, root: &str) {
    let url = at.parse().unwrap();
    let (told, stop) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        drop(told);
    });
    let stop = async { drop(stop.await) };
    match app {
        "chat" => {
            let server = chat::Server::bind(service, &url).await.unwrap();
            tell(server.local());
            let (console, _operator) = chat::Console::channel();
            server.run(console, stop).await.unwrap();
        }
        "command" => {
            let server = command::Server::bind(service, &url, command::Policy::AllowAny)
                .await
                .unwrap();
            tell(server.local());
            server.run(stop).await.unwrap();
        }
        _ => {
            let server = file::Server::bind(service, &url, root.as_ref())
                .await
                .unwrap();
            tell(server.local());
            server.run(stop).await.unwrap();
        }
    }
}
