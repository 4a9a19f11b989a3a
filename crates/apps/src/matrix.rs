//! Which app runs over which transport and codec, and why not over the others.

use std::fmt::{self, Write};
use std::time::Duration;

use socketry_codec::{Content, NamedCodec, Properties};
use socketry_transport::units::format_duration;
use socketry_transport::{
    BoxListener, Registry, SocketOptions, TcpTransport, Transport, UdpTransport,
    UnixDgramTransport, UnixSeqpacketTransport, UnixTransport,
};

use crate::cli::CommandLine;
use crate::{AppError, encryption, proxies, services, web};

/// The three apps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum App {
    /// [`chat`](crate::chat).
    Chat,
    /// [`command`](crate::command).
    Command,
    /// [`file`](crate::file).
    File,
}

impl App {
    /// All of them.
    pub const ALL: [App; 3] = [App::Chat, App::Command, App::File];
}

impl fmt::Display for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            App::Chat => "chat",
            App::Command => "command",
            App::File => "file",
        })
    }
}

/// The schemes of the standard transports.
pub const SCHEMES: [&str; 6] = ["tcp", "unix", "unix-seqpacket", "mem", "udp", "unix-dgram"];

/// Those of them that carry datagrams.
pub(crate) const DATAGRAM_SCHEMES: [&str; 2] = ["udp", "unix-dgram"];

/// The schemes of sockets that a process was started with, and the forms of their URLs.
const INHERITED: [(&str, &str); 3] = [
    ("fd", "fd://N"),
    ("systemd", "systemd://NAME"),
    ("stdio", "stdio://"),
];

/// The schemes of connections whose clients the kernel knows.
pub(crate) const UNIX_SCHEMES: [&str; 4] = ["unix", "unix-seqpacket", "tls+unix", "ws+unix"];

/// The scheme of messages in order: no token can be proved over it.
pub(crate) const MESSAGE_SCHEME: &str = "unix-seqpacket";

/// The schemes of the transports with TLS: over streams, with the feature `tls`, and inside of
/// QUIC, with the feature `quic`.
pub const TLS_SCHEMES: [&str; 3] = ["tls", "tls+unix", "quic"];

/// The schemes of WebSocket, which are there with the feature `ws`; `wss` with `tls` only.
pub const WS_SCHEMES: [&str; 3] = ["ws", "wss", "ws+unix"];

/// The scheme of serial lines, which are there with the feature `serial`, on Linux.
pub const SERIAL_SCHEME: &str = "serial";

/// Whether the scheme is over TLS, whatever is over that.
pub(crate) fn is_over_tls(scheme: &str) -> bool {
    TLS_SCHEMES.contains(&scheme) || scheme == "wss"
}

/// The codecs: one name for each family, and for each form that behaves differently.
pub const CODECS: [&str; 5] = ["raw", "line", "struct", "json", "json:bare"];

/// How long a TCP connection is idle before the kernel probes the peer, unless the URL says
/// otherwise (`keepalive`): 60 seconds.
pub const KEEPALIVE: Duration = Duration::from_secs(60);

/// How long the kernel waits for an answer before the next probe (`keepalive_interval`): 15
/// seconds.
pub const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);

/// How many probes without an answer end the connection (`keepalive_retries`): 4. So a peer whose
/// machine or network is gone is noticed within two minutes.
pub const KEEPALIVE_RETRIES: u32 = 4;

/// The mode of a Unix socket's file that a server makes, unless the URL says otherwise (`mode`):
/// only the user of the server, and root, can connect.
pub const SOCKET_MODE: u32 = 0o600;

/// The same listener. If it is one over TLS of [`transports`], its addresses have the pin of its
/// certificate, `?pin=…`, which is all that a client needs to trust it.
pub fn pinned(listener: BoxListener) -> BoxListener {
    encryption::pinned(listener)
}

/// The standard transports as the apps use them: over TCP, a peer that has vanished is noticed, and
/// the file of a Unix socket is its user's alone. The query of a URL overrides that. With the
/// feature `tls` they are there over TLS, too, and with the feature `names` those of hosts are there
/// for services: `tcp+srv`.
pub fn transports() -> Registry {
    let tcp = TcpTransport::new(SocketOptions {
        keepalive: Some(KEEPALIVE),
        keepalive_interval: Some(KEEPALIVE_INTERVAL),
        keepalive_retries: Some(KEEPALIVE_RETRIES),
        ..SocketOptions::default()
    });
    let own = || SocketOptions {
        mode: Some(SOCKET_MODE),
        ..SocketOptions::default()
    };
    let registry = Registry::standard()
        .with("tcp", tcp)
        .with("unix", UnixTransport::new(own()))
        .with("unix-seqpacket", UnixSeqpacketTransport::new(own()))
        .with("unix-dgram", UnixDgramTransport::new(own()));
    let registry = encryption::registered(proxies::registered(with_serial(registry)));
    services::registered(web::registered(registry))
}

/// The same registry, with serial lines. A server waits for a client's first byte, since a silent
/// line is no client.
#[cfg(all(target_os = "linux", feature = "serial"))]
fn with_serial(registry: Registry) -> Registry {
    use socketry_transport::{SerialAccept, SerialSettings, SerialTransport};
    let lines = SerialTransport::new(SerialSettings {
        accept: SerialAccept::Data,
        ..SerialSettings::default()
    });
    registry.with(SERIAL_SCHEME, lines)
}

#[cfg(not(all(target_os = "linux", feature = "serial")))]
fn with_serial(registry: Registry) -> Registry {
    registry
}

/// The forms of URLs and their options, for the schemes that `app` runs over and that reach another
/// process.
pub(crate) fn urls(app: App, offered: &CommandLine) -> String {
    let (transports, codecs) = (&offered.transports, &offered.codecs);
    let (tcp, unix) = (TcpTransport::default(), UnixTransport::default());
    let (udp, unix_dgram) = (UdpTransport::default(), UnixDgramTransport::default());
    let forms = [
        ("tcp", "tcp://HOST:PORT", tcp.keys()),
        ("unix", "unix:///PATH, unix://@NAME", unix.keys()),
        (
            "unix-seqpacket",
            "unix-seqpacket:///PATH, unix-seqpacket://@NAME",
            unix.keys(),
        ),
        ("udp", "udp://HOST:PORT", udp.keys()),
        ("unix-dgram", "unix-dgram:///PATH", unix_dgram.keys()),
    ];
    let mut text = "URLs, and the options that they take as ?KEY=VALUE&KEY=VALUE:\n".to_owned();
    for (scheme, form, keys) in forms {
        let runs = codecs.names().any(|name| {
            let codec = codecs.named(name);
            codec.is_ok_and(|codec| check(app, scheme, &codec).is_ok())
        });
        if runs && transports.schemes().any(|known| known == scheme) {
            // Writing to a string does not fail.
            let _ = writeln!(text, "  {form}\n      {}", keys.options().join(", "));
            if scheme == "tcp" {
                text.push_str(
                    "      through proxies: via=socks5://USER@HOST:PORT?password_file=FILE, or\n      \
                     socks5h, http; once for each\n      \
                     behind a balancer that sends PROXY headers: proxy_from=10.0.0.0/8, from there\n",
                );
                let idle = format_duration(KEEPALIVE);
                let _ = writeln!(
                    text,
                    "      a silent peer is asked after {idle}: keepalive=TIME, or keepalive=off"
                );
            }
            if form.contains("/PATH") {
                let _ = writeln!(
                    text,
                    "      only its user can connect to a server's file; mode=0660 admits a group"
                );
            }
        }
    }
    text.push_str(&serial_urls(transports));
    text.push_str(&tls_urls(transports, tcp.keys().options()));
    text.push_str(&quic_urls(transports));
    text.push_str(&ws_urls(app, transports, tcp.keys().options()));
    text.push_str(&services::urls(transports));
    if transports.schemes().any(|known| known == INHERITED[0].0) {
        let forms = INHERITED.map(|(_, form)| form).join(", ");
        let _ = writeln!(
            text,
            "  {forms}\n      a socket that this process was started with, by its number, its name,\n      \
             or as standard input and output (to connect only)"
        );
    }
    let is_told = |scheme| is_standard(scheme) || INHERITED.iter().any(|(name, _)| *name == scheme);
    for scheme in transports.schemes() {
        // A connection with many streams carries no frames of the apps.
        if !is_told(scheme) && scheme != "mem-mux" {
            let _ = writeln!(text, "  {scheme}://…");
        }
    }
    text
}

/// Whether the transport of this scheme is not a third party's.
pub(crate) fn is_standard(scheme: &str) -> bool {
    let scheme = services::of_servers(scheme);
    SCHEMES.contains(&scheme)
        || scheme == SERIAL_SCHEME
        || TLS_SCHEMES.contains(&scheme)
        || WS_SCHEMES.contains(&scheme)
}

/// The form of URLs of serial lines, and what they take.
fn serial_urls(transports: &Registry) -> String {
    let Some(serial) = transports.get(SERIAL_SCHEME) else {
        return String::new();
    };
    format!(
        "  serial:///dev/DEVICE\n      {}\n      \
         one client at a time; it is served from its first byte on\n",
        serial.keys().options().join(", ")
    )
}

/// The forms of URLs over TLS, and what they take besides the keys of TCP.
fn tls_urls(transports: &Registry, tcp: &[&str]) -> String {
    let Some(tls) = transports.get("tls") else {
        return String::new();
    };
    let keys = tls.keys();
    let added: Vec<_> = keys
        .options()
        .iter()
        .filter(|key| !tcp.contains(key))
        .copied()
        .collect();
    format!(
        "  tls://HOST:PORT, tls+unix:///PATH\n      as tcp and unix, and {}\n      \
         serve without cert or identity: it makes a certificate, keeps it in\n      \
         ~/.local/state/socketry/tls, and prints the URL with its pin for clients;\n      \
         SIGUSR1 makes it read renewed certificates\n",
        added.join(", ")
    )
}

/// The form of URLs over QUIC, and what they take besides the keys of TLS.
fn quic_urls(transports: &Registry) -> String {
    let Some(quic) = transports.get("quic") else {
        return String::new();
    };
    let tls = transports.get("tls").map(|tls| tls.keys());
    let keys = quic.keys();
    let added: Vec<_> = keys
        .options()
        .iter()
        .filter(|key| !tls.as_ref().is_some_and(|tls| tls.contains(key)))
        .copied()
        .collect();
    format!(
        "  quic://HOST:PORT\n      as tls, over UDP, and {}\n",
        added.join(", ")
    )
}

/// The forms of URLs of WebSocket, and what they take besides the keys of TCP.
fn ws_urls(app: App, transports: &Registry, tcp: &[&str]) -> String {
    let Some(ws) = transports.get(WS_SCHEMES[0]) else {
        return String::new();
    };
    let keys = ws.keys();
    let added = keys.options().iter().filter(|key| !tcp.contains(key));
    let added: Vec<_> = added.copied().collect();
    let page = match app {
        App::Chat => {
            "      a browser that opens http://HOST:PORT/ of a server with json gets a page\n"
        }
        App::Command | App::File => "",
    };
    format!(
        "  ws://HOST:PORT/PATH, wss://HOST:PORT/PATH, ws+unix:///PATH\n      as tcp, tls and unix, \
         and {}\n{page}",
        added.join(", ")
    )
}

/// The features of a scheme that matter to the apps.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Carriage {
    /// A stream, or messages that all arrive in order, with an end.
    Stream,
    /// Datagrams that all arrive, in order, and whose sender is certain.
    Local,
    /// Datagrams that may be lost, repeated, reordered or forged.
    Lossy,
}

fn carriage(scheme: &str) -> Carriage {
    match services::of_servers(scheme) {
        "udp" => Carriage::Lossy,
        "unix-dgram" => Carriage::Local,
        // A third party's transport counts as a stream. If it is none, a body over it is an error.
        _ => Carriage::Stream,
    }
}

/// Whether `app` runs over `scheme` with `codec`.
///
/// # Errors
/// One line with the reason, and what to use instead.
pub(crate) fn check(app: App, scheme: &str, codec: &NamedCodec) -> Result<(), AppError> {
    match reason(app, carriage(scheme), codec.codec().properties()) {
        None => Ok(()),
        Some((why, instead)) => Err(AppError::usage(format_args!(
            "{app} does not run over {scheme} with {}: {why}; use {instead}",
            codec.name()
        ))),
    }
}

fn reason(app: App, carriage: Carriage, codec: Properties) -> Option<(&'static str, &'static str)> {
    match (app, carriage, codec.content) {
        (App::Chat, ..) if !codec.stateless => Some((
            "all users are sent the same bytes, and this codec's differ from user to user",
            "a codec that encodes each frame by itself",
        )),
        _ if codec.min_frame > 0 => Some((
            "it carries no empty frames, which the apps send",
            "another codec",
        )),
        (App::Chat, _, Content::Bytes | Content::Delimited(_) | Content::Json) => None,
        (App::Command, Carriage::Lossy, _) => Some((
            "datagrams can be lost, which loses output, and their sender can be forged",
            "quic, tcp or unix",
        )),
        (App::Command, Carriage::Local, Content::Json) => Some((
            "output follows its JSON header as a body, and datagrams have none",
            "unix, or the codec struct",
        )),
        (App::Command, _, Content::Bytes | Content::Delimited(_) | Content::Json) => None,
        (App::File, Carriage::Lossy, _) => Some((
            "datagrams can be lost, and a file cannot",
            "quic, tcp or unix",
        )),
        (App::File, Carriage::Local, _) => Some((
            "a file follows its header as a body, and datagrams have none",
            "unix or tcp",
        )),
        (App::File, Carriage::Stream, Content::Json) => None,
        (App::File, Carriage::Stream, Content::Bytes) if !codec.boundaries => None,
        (App::File, Carriage::Stream, _) => Some((
            "its frames carry no header that could tell a file's name and size",
            "the codec json (or raw, to browse and get)",
        )),
        (App::Chat | App::Command, ..) => Some((
            "its frames hold neither texts nor JSON objects",
            "another codec",
        )),
    }
}
