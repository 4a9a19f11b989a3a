//! The command lines of the programs that are peers: each plays a client or a server.

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use tempfile::TempDir;

use super::process::{Peer, Talking};
use super::tools;

/// The kinds, and the program that each needs.
pub(crate) const KINDS: [(&str, &str); 6] = [
    ("sync", "python3"),
    ("asyncio", "python3"),
    ("node", "node"),
    ("go", "go"),
    ("openssl", "openssl"),
    ("curl", "curl"),
];

/// The folder of a program that was compiled, and the program. The compiler's cache is there too.
static GO: LazyLock<(TempDir, PathBuf)> = LazyLock::new(|| {
    let folder = TempDir::new().unwrap();
    let program = folder.path().join("peer");
    let mut go = Command::new("go");
    go.args(["build", "-o"])
        .arg(&program)
        .arg(script("peer.go"));
    go.env("GOCACHE", folder.path().join("cache"));
    go.env("GO111MODULE", "off").env("GOTOOLCHAIN", "local");
    assert!(go.status().unwrap().success());
    (folder, program)
});

fn script(name: &str) -> String {
    format!("{}/tests/peers/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Whether the program of this kind is here.
pub(crate) fn is_here(kind: &str) -> bool {
    let program = KINDS.iter().find(|(name, _)| *name == kind);
    tools::has(program.unwrap().1)
}

/// Starts a peer of this kind. The words are those that `peer.py` explains, from the role on.
pub(crate) fn start(kind: &str, words: [&str; 8]) -> Talking {
    let (program, mut arguments) = match kind {
        "node" => ("node".to_owned(), vec![script("peer.mjs")]),
        "go" => (GO.1.display().to_string(), Vec::new()),
        "openssl" | "curl" => return shell(kind, words),
        kind => (
            "python3".to_owned(),
            vec![script("peer.py"), kind.to_owned()],
        ),
    };
    arguments.extend(words.map(str::to_owned));
    Peer::start(&program, &arguments).lines()
}

/// OpenSSL and curl do no job: they fail, and say so in the line that is left of what they print.
fn shell(kind: &str, [role, version, _job, port, ca, cert, key, name]: [&str; 8]) -> Talking {
    let tls = version.replace('.', "_");
    let own = match cert {
        "-" => String::new(),
        cert => format!("-cert {cert} -key {key}"),
    };
    let line = match (kind, role) {
        ("openssl", "client") => format!(
            "openssl s_client -quiet -tls{tls} -connect 127.0.0.1:{port} -CAfile {ca} {own} \
             -verify_return_error -x509_strict -verify_hostname {name} -servername {name} \
             2>&1 </dev/null | grep -m 1 ':error:'"
        ),
        ("openssl", _) => {
            let asks = match ca {
                "-" => String::new(),
                ca => format!("-Verify 1 -verify_return_error -CAfile {ca}"),
            };
            format!(
                "openssl s_server -naccept 1 -tls{tls} -accept 127.0.0.1:0 {own} {asks} \
                 2>&1 | sed -u -n 's/^ACCEPT .*://p; /:error:/{{p; q}}'"
            )
        }
        _ => format!(
            "curl -sS --tlsv{version} --tls-max {version} --noproxy '*' --http1.1 --cacert {ca} \
             --no-alpn {} --resolve {name}:{port}:127.0.0.1 https://{name}:{port}/ 2>&1",
            own.replace("-cert", "--cert").replace("-key", "--key"),
        ),
    };
    Peer::start("sh", &["-c".to_owned(), line]).lines()
}
