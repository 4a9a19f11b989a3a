//! A network of a test's own, with the addresses and names that it needs.

use std::process::Command;
use std::time::Duration;

use crate::tools;

/// Set for a test that runs in a network of its own.
const INSIDE: &str = "SOCKETRY_TEST_ALONE";

/// What hangs, hangs longer.
const LIMIT: Duration = Duration::from_secs(120);

/// Waits until the kernel delivers to each IPv6 address of this network that may be used. It adds
/// their local routes after `ip` has returned; until then a datagram leaves by the device and is
/// lost.
const ROUTED: &str = r#"
routed() {
    for at in $(ip -6 -o addr show -tentative | sed 's/.*inet6 \([^/]*\).*/\1/'); do
        ip -6 route show table local | grep -q "^local $at " || return 1
    done
}
tries=0
until routed; do
    tries=$((tries + 1))
    [ $tries -lt 1000 ]
    sleep 0.02
done
"#;

/// Runs the calling test, whose name with its module is `name`, once more in a network of its own
/// that the shell made with `setup`, and there `body`.
pub(crate) fn alone(name: &str, setup: &str, body: impl Future<Output = ()>) {
    if std::env::var_os(INSIDE).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let limited = async { tokio::time::timeout(LIMIT, body).await.expect("it hangs") };
        return runtime.unwrap().block_on(limited);
    }
    if !there_is_one() {
        return;
    }
    let script = format!("set -e; ip link set lo up; {setup}\n{ROUTED}exec \"$@\"");
    let status = Command::new("unshare")
        .args(["-n", "-m", "sh", "-c", &script, "sh"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let (out, error) = (
        String::from_utf8_lossy(&status.stdout),
        String::from_utf8_lossy(&status.stderr),
    );
    assert!(status.status.success(), "{out}\n{error}");
    assert!(out.contains("1 passed"), "no test is called {name}: {out}");
}

fn there_is_one() -> bool {
    if !["unshare", "ip"].into_iter().all(tools::has) {
        return false;
    }
    let tried = Command::new("unshare")
        .args(["-n", "-m", "ip", "link", "set", "lo", "up"])
        .output();
    let made = tried.is_ok_and(|tried| tried.status.success());
    tools::may("network namespace", made)
}
