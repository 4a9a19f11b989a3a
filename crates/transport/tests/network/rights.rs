//! Options that need a right, in a process without it. And options that accepted sockets have of
//! their listener.

use std::process::Command;

use socketry_transport::{
    Endpoint, ErrorKind, Listener, SocketOptions, TcpTransport, Transport, connect, listen,
};

use crate::tools;

/// Set for a test that runs without rights.
const INSIDE: &str = "SOCKETRY_TEST_WITHOUT_RIGHTS";
const WITHOUT: [&str; 2] = ["--bounding-set=-net_admin,-net_raw", "--inh-caps=-all"];

/// Runs the calling test, whose name is `name`, once more without the rights of an administrator of
/// networks, and there `body`.
fn without_rights(name: &str, body: impl Future<Output = ()>) {
    if std::env::var_os(INSIDE).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        return runtime.unwrap().block_on(body);
    }
    if !tools::has("setpriv") {
        return;
    }
    let tried = Command::new("setpriv").args(WITHOUT).arg("true").output();
    if !tools::may("setpriv", tried.is_ok_and(|tried| tried.status.success())) {
        return;
    }
    let done = Command::new("setpriv")
        .args(WITHOUT)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let (out, error) = (
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr),
    );
    assert!(done.status.success(), "{out}\n{error}");
    assert!(out.contains("1 passed"), "no test is called {name}: {out}");
}

fn words_of(file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap();
    text.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn what_needs_a_right_says_which() {
    without_rights("rights::what_needs_a_right_says_which", async {
        let at = "tcp://127.0.0.1:0";
        let mut cases = vec![
            ("mark=0x5".to_owned(), "needs the capability CAP_NET_ADMIN"),
            (
                "priority=7".to_owned(),
                "0 to 6 need no right; higher ones need",
            ),
        ];
        let allowed = words_of("/proc/sys/net/ipv4/tcp_allowed_congestion_control");
        for name in words_of("/proc/sys/net/ipv4/tcp_available_congestion_control") {
            if !allowed.contains(&name) {
                let query = format!("congestion={name}");
                cases.push((query, "without the capability CAP_NET_ADMIN, "));
            }
        }
        for (query, way_out) in cases {
            let url = format!("{at}?{query}");
            let (key, _) = query.split_once('=').unwrap();
            let listening = listen(&*url).await.err().unwrap();
            let connecting = connect(&*url).await.err().unwrap();
            for error in [listening, connecting] {
                assert_eq!(error.kind(), ErrorKind::Denied);
                let words = error.to_string();
                let beginning = format!("cannot set option {key} on {url}: ");
                assert!(words.starts_with(&beginning), "{words}");
                assert!(words.contains(way_out), "{words}");
            }
        }
        listen("tcp://127.0.0.1:0?priority=6").await.unwrap();
    });
}

/// The priority is not inherited, the others are. An option of the listener is not one of the
/// client's socket.
#[tokio::test]
async fn accepted_sockets_have_the_options_of_their_listener() {
    let query = "congestion=reno&user_timeout=7s&notsent_lowat=32KiB&priority=5&tos=16&ttl=33";
    let at: Endpoint = format!("tcp://127.0.0.1:0?{query}").parse().unwrap();
    let transport = TcpTransport::default();
    let wanted = SocketOptions::from_query(&at, transport.keys()).unwrap();
    let mut listener = transport.listen(&at).await.unwrap();
    let client = transport.connect(listener.local()).await.unwrap();
    let accepted = listener.accept().await.unwrap();
    let read = SocketOptions::read_back(&accepted).unwrap();
    assert_eq!(wanted.clone().over(&read), read);
    let other = SocketOptions::read_back(&client).unwrap();
    assert_ne!(other.priority, wanted.priority);
    assert_ne!(other.user_timeout, wanted.user_timeout);
}
