//! The guide's table of what the sockets of each scheme promise: written from what they say of
//! themselves, and from what they do. A scheme that has no row in [`ROWS`] fails the test.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fmt::Write;
use std::path::Path;

use socketry_apps::matrix;
use socketry_testkit::{Places, in_time};
use socketry_tls::TlsInfo;
use socketry_transport::{
    BoxSocket, Credentials, Half, Listener, Received, RecvExt, SendExt, Shape,
};

/// A scheme, and what its sockets cannot say.
struct Row {
    scheme: &'static str,
    /// Its promises, where this test cannot open such sockets.
    told: Option<[&'static str; 6]>,
    /// What the longest message depends on, if this machine decides it.
    longest: Option<&'static str>,
    notes: &'static str,
}

const SEND_BUFFER: &str = "the send buffer, less 32 bytes";

const ROWS: [Row; 22] = [
    opened("tcp", "a process that dies may look as if it had finished"),
    opened("unix", ""),
    opened("unix-seqpacket", "an empty message is no end").longest(SEND_BUFFER),
    opened("tls", "changed bytes are an error"),
    opened("tls+unix", "as `tls`"),
    opened(
        "ws",
        "an end without a close frame, or with an error's code, is an error",
    ),
    opened("wss", "as `ws` and `tls`"),
    opened("ws+unix", "as `ws`"),
    opened("quic", "as `tls`; a stream that was cut is a reset"),
    opened(
        "udp",
        "1,200 bytes arrive nearly everywhere; anybody can forge an address",
    ),
    opened("unix-dgram", "a full queue holds its senders back").longest(SEND_BUFFER),
    opened("mem", ""),
    opened("mem-mux", "one stream of a connection"),
    Row {
        told: Some([
            "in order; bytes can be lost, or changed",
            "none: the codec has them",
            "an end when the device is gone or hung up",
            "no",
            "unknown",
            "",
        ]),
        ..opened(
            "serial",
            "most wires carry no end; what was not received at a hang-up is lost",
        )
    },
    other(
        "exec",
        "the pipes of a child process; its failure is an error at the end",
    ),
    other("stdio", "the pipes of this process, or its socket"),
    other("fd", "a socket that this process was started with"),
    other("systemd", "as `fd`"),
    other("tcp+srv", "as `tcp`, at a server that SRV records name"),
    other("tls+srv", "as `tls`, the same"),
    other("quic+srv", "as `quic`, the same"),
    other("udp+srv", "as `udp`, the same"),
];

const fn opened(scheme: &'static str, notes: &'static str) -> Row {
    Row {
        scheme,
        told: None,
        longest: None,
        notes,
    }
}

const fn other(scheme: &'static str, notes: &'static str) -> Row {
    Row {
        told: Some([""; 6]),
        ..opened(scheme, notes)
    }
}

impl Row {
    const fn longest(self, depends_on: &'static str) -> Self {
        Row {
            longest: Some(depends_on),
            ..self
        }
    }

    async fn line(&self) -> String {
        let promised = match self.told {
            None => self.promised().await,
            Some(told) => told.map(str::to_owned),
        };
        let promised = promised.join(" | ");
        format!("| `{}` | {promised} | {} |\n", self.scheme, self.notes)
    }

    async fn promised(&self) -> [String; 6] {
        let places = Places::new();
        let (mut client, mut server) = pair(&places, self.scheme).await;
        let shape = client.shape();
        let longest = match (shape.max_len(), self.longest) {
            (None, _) => String::new(),
            (Some(_), Some(words)) => words.to_owned(),
            (Some(bytes), None) => format!("{} bytes", grouped(bytes)),
        };
        let [ends, half_close] = match shape.is_reliable() {
            true => ends(&mut client, &mut server).await,
            false => ["none: an idle time", "no"],
        };
        let order = match (shape.is_reliable(), self.scheme) {
            (true, _) => "in order, none",
            // The kernel keeps both promises within a machine.
            (false, "unix-dgram") => "in order, none while both live",
            (false, _) => "neither: lost, repeated, out of order",
        };
        let boundaries = match shape {
            Shape::Stream => "none: the codec has them",
            _ => "each send",
        };
        let who = who(&client, &server);
        [order, boundaries, ends, half_close, who, &longest].map(str::to_owned)
    }
}

/// A client of `scheme` and the socket of its server, after the first message.
async fn pair(places: &Places, scheme: &str) -> (BoxSocket, BoxSocket) {
    let registry = matrix::transports();
    let at = match scheme {
        "mem-mux" => "mem-mux://*".parse().unwrap(),
        scheme => places.free(scheme),
    };
    let mut listener = matrix::pinned(registry.listen(&at).await.unwrap());
    let to = listener.local().clone();
    let connecting = async {
        let mut client = registry.connect(&to).await.unwrap();
        client.send_all(b"first").await.unwrap();
        client
    };
    let accepting = async {
        let mut server = listener.accept().await.unwrap();
        assert_eq!(server.recv(&mut [0; 8]).await.unwrap().0, 5);
        server
    };
    in_time(scheme, async { tokio::join!(connecting, accepting) }).await
}

/// What the end of a client's sending is to its server, and whether the client still receives.
async fn ends(client: &mut BoxSocket, server: &mut BoxSocket) -> [&'static str; 2] {
    let mut buf = [0; 8];
    let answering = async {
        let ended = server.recv(&mut buf).await.unwrap();
        assert_eq!(ended, (0, Received::End));
        let sent = server.send_all(b"answer").await;
        let _ = server.finish().await;
        sent.is_ok()
    };
    let mut room = [0; 8];
    let asking = async {
        let finished = client.finish().await;
        finished.unwrap();
        matches!(client.recv(&mut room).await, Ok((6, Received::Data)))
    };
    let (answered, heard) = in_time("an end", async { tokio::join!(answering, asking) }).await;
    assert_eq!(answered, heard);
    ["an end", if heard { "yes" } else { "no" }]
}

/// What one end knows of the other.
fn who(client: &BoxSocket, server: &BoxSocket) -> &'static str {
    let has_tls = client.info().get::<TlsInfo>().is_some();
    match server.info().get::<Credentials>() {
        Some(_) if has_tls => "its user and process, and a certificate or pin",
        Some(_) => "its user and process",
        None if has_tls => "its address, and a certificate or pin",
        None if server.peer().socket_addr().is_some() => "its address",
        None if server.peer().scheme().starts_with("mem") => "a part of this process",
        None => "a process of this machine",
    }
}

/// With a comma between thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().collect();
    String::from_utf8(groups.join(&b',')).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_guide_says_what_each_scheme_promises() {
    let known: Vec<_> = ROWS.iter().map(|row| row.scheme).collect();
    for scheme in matrix::transports().schemes() {
        assert!(known.contains(&scheme), "{scheme} needs a row in ROWS");
    }
    let mut table = String::from(
        "| scheme | order, loss | boundaries | the peer's end | half-close | who the peer is | longest \
         message | notes |\n",
    );
    writeln!(table, "{}|", "|---".repeat(8)).unwrap();
    for row in &ROWS {
        table += &row.line().await;
    }
    check(&table);
}

/// Compares the table with the guide's. `UPDATE_GUIDE=1` writes it there instead.
fn check(table: &str) {
    const BEGIN: &str = "<!-- promises: written by `UPDATE_GUIDE=1 cargo test -p socketry-testkit \
                         --test promises` -->\n\n";
    const END: &str = "\n<!-- end of promises -->";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide.md");
    let guide = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = guide.split_once(BEGIN).expect("a place for the table");
    let (found, after) = rest.split_once(END).expect("the table has an end");
    if std::env::var_os("UPDATE_GUIDE").is_some() {
        std::fs::write(&path, [before, BEGIN, table, END, after].concat()).unwrap();
        return;
    }
    assert_eq!(
        found, table,
        "the guide's table is stale; UPDATE_GUIDE=1 cargo test -p socketry-testkit --test promises writes it"
    );
}
