//! A second network, with a program in Python, which two cables join to the test's own.
//!
//! | cable | here | there |
//! |---|---|---|
//! | first | `va`, 10.9.0.1 | `vb`, 10.9.0.2 |
//! | second | `vc`, 10.8.0.1 | `vd`, 10.8.0.2 |

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::UdpSocket;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// Makes the ends here, for [`alone`](crate::alone::alone). Each end knows the other's hardware
/// address, so that an address that is gone is no error, and only silent.
pub(crate) const CABLES: &str = "
    ip link add va address 02:00:00:00:09:01 type veth peer name vb address 02:00:00:00:09:02
    ip link add vc address 02:00:00:00:08:01 type veth peer name vd address 02:00:00:00:08:02
    ip addr add 10.9.0.1/24 dev va
    ip addr add 10.8.0.1/24 dev vc
    ip link set va up
    ip link set vc up
    ip neigh replace 10.9.0.2 lladdr 02:00:00:00:09:02 dev va nud permanent
    ip neigh replace 10.8.0.2 lladdr 02:00:00:00:08:02 dev vc nud permanent
";

/// What the program there begins with: it waits until the cables are there.
const PRELUDE: &str = "
import socket, subprocess, sys, threading
def sh(words): subprocess.run(words, shell=True, check=True)
def say(*words): print(*words, flush=True)
def heard(): return sys.stdin.readline().strip()
say('there')
heard()
sh('ip link set lo up; ip addr add 10.9.0.2/24 dev vb; ip addr add 10.8.0.2/24 dev vd')
sh('ip link set vb up; ip link set vd up')
sh('ip neigh replace 10.9.0.1 lladdr 02:00:00:00:09:01 dev vb nud permanent')
sh('ip neigh replace 10.8.0.1 lladdr 02:00:00:00:08:01 dev vd nud permanent')
probes = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
probes.bind(('0.0.0.0', 9))
def answer():
    while True:
        data, sender = probes.recvfrom(10)
        probes.sendto(data, sender)
threading.Thread(target=answer, daemon=True).start()
";

pub(crate) struct Far {
    child: Child,
    says: Lines<BufReader<ChildStdout>>,
    hears: ChildStdin,
}

impl Far {
    /// Starts a program there. `say` prints a line for [`says`](Far::says), `heard` waits for
    /// [`tell`](Far::tell), `sh` runs a command. It ends with this.
    pub(crate) async fn start(program: &str) -> Far {
        let mut child = Command::new("unshare")
            .args(["-n", "python3", "-c", &format!("{PRELUDE}{program}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut far = Far {
            says: BufReader::new(child.stdout.take().unwrap()).lines(),
            hears: child.stdin.take().unwrap(),
            child,
        };
        assert_eq!(far.says().await, "there");
        let id = far.child.id().unwrap();
        for end in ["vb", "vd"] {
            here(&format!("ip link set {end} netns {id}")).await;
        }
        far.tell("go").await;
        for host in ["10.9.0.2", "10.8.0.2"] {
            carried(host).await;
        }
        far
    }

    pub(crate) async fn says(&mut self) -> String {
        let line = self.says.next_line().await.unwrap();
        line.expect("the program there is gone")
    }

    pub(crate) async fn tell(&mut self, words: &str) {
        let line = format!("{words}\n");
        self.hears.write_all(line.as_bytes()).await.unwrap();
    }

    /// Gives the end of the first cable there its address back, or takes it away: then all that
    /// is sent to it is lost.
    pub(crate) async fn answers(&self, answers: bool) {
        let (id, verb) = (
            self.child.id().unwrap(),
            if answers { "add" } else { "del" },
        );
        here(&format!(
            "nsenter -t {id} -n ip addr {verb} 10.9.0.2/24 dev vb"
        ))
        .await;
    }
}

/// Waits until packets get there and back. The kernel loses some of those that it is given soon
/// after both ends of a cable are up.
async fn carried(host: &str) {
    let probe = UdpSocket::bind("0.0.0.0:0").await.unwrap();
    loop {
        // There may be no route yet.
        let _ = probe.send_to(b"probe", (host, 9)).await;
        let mut buf = [0; 16];
        let answer = timeout(Duration::from_millis(50), probe.recv_from(&mut buf)).await;
        if answer.is_ok_and(|answer| answer.is_ok()) {
            return;
        }
    }
}

/// Runs a command here.
pub(crate) async fn here(words: &str) {
    let done = Command::new("sh").args(["-c", words]).output().await;
    let done = done.unwrap();
    let error = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{words}: {error}");
}
