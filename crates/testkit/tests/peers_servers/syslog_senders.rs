//! `syslog` with programs that send messages, each with a framing of its own.

use socketry_testkit::in_time;
use socketry_transport::{Listener, listen};
use tokio::process::Command;

use crate::daemon::{Daemon, command, directory};
use crate::{live, tools};

/// The texts of the messages that the program sends to a port, which stands for `PORT` in its
/// arguments.
async fn received(name: &str, program: &str, arguments: &[&str]) -> Vec<String> {
    let mut listener = listen("tcp://127.0.0.1:0").await.unwrap();
    let port = listener.local().socket_addr().unwrap().port().to_string();
    let arguments: Vec<_> = arguments
        .iter()
        .map(|part| part.replace("PORT", &port))
        .collect();
    let directory = directory();
    let mut command: Command = command(program, &arguments);
    let _sender = Daemon::start(&mut command, directory.path());
    let accepted = in_time(name, listener.accept()).await.unwrap();
    let mut peer = live(name, accepted, "syslog");
    let mut texts = Vec::new();
    while let Some(message) = in_time("a message", peer.recv()).await.unwrap() {
        let message = std::str::from_utf8(message).unwrap();
        assert!(message.starts_with('<'), "{message:?}");
        let begins = ["one", "größe"]
            .iter()
            .filter_map(|text| message.find(text))
            .min();
        texts.push(message[begins.unwrap()..].to_owned());
    }
    texts
}

#[tokio::test]
async fn logger_counts_or_ends_lines() {
    if !tools::has("logger") {
        return;
    }
    let to = ["--tcp", "--server", "127.0.0.1", "--port", "PORT"];
    let arguments = [&to[..], &["größe 1"]].concat();
    let line = received("logger", "logger", &arguments).await;
    assert_eq!(line, ["größe 1"]);
    let counted = [&to[..], &["--octet-count", "one\ntwo"]].concat();
    let counted = received("logger-counted", "logger", &counted).await;
    assert_eq!(counted, ["one\ntwo"]);
}

/// No line feed, and no count.
#[tokio::test]
async fn python_ends_messages_with_nul() {
    if !tools::has("python3") {
        return;
    }
    let script = "
import logging.handlers, socket
handler = logging.handlers.SysLogHandler(('127.0.0.1', PORT), socktype=socket.SOCK_STREAM)
log = logging.getLogger('app')
log.addHandler(handler)
log.warning('one')
log.warning('größe')
handler.close()
";
    let texts = received("python-syslog", "python3", &["-c", script]).await;
    assert_eq!(texts, ["one", "größe"]);
}

/// It writes a line feed, and NUL behind that.
#[tokio::test]
async fn perl_ends_messages_with_both() {
    if !tools::has("perl") {
        return;
    }
    let script = "
use Sys::Syslog qw(:standard :extended);
setlogsock({type => 'tcp', host => '127.0.0.1', port => PORT});
openlog('app', 'ndelay', 'user');
syslog('info', 'one');
syslog('info', 'größe');
closelog();
";
    let texts = received("perl-syslog", "perl", &["-e", script]).await;
    assert_eq!(texts, ["one", "größe"]);
}
