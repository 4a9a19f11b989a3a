//! What a service tells its service manager: `sd_notify(3)`.

use std::env;
use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::process;
use std::sync::Arc;
use std::time::Duration;

use socketry_transport::{Address, Endpoint, Error, ErrorKind, Registry, Result, SendExt};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

/// How long the service manager may take to receive a message.
const PATIENCE: Duration = Duration::from_secs(5);

type Check = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync>;

/// Tells a service manager how the service is: `READY=1`, `STOPPING=1`, `WATCHDOG=1` and more, as
/// `sd_notify(3)` has them. [`Server::notify`](crate::Server::notify) does so at the right times.
///
/// A service manager names its socket in the environment variable `NOTIFY_SOCKET`: a path, or an
/// abstract name as `@name`. Without it, nothing is told, and no call fails: the program runs in a
/// terminal as well. The variable is read once, and left as it is, so a child process that should
/// not have it is started without it.
///
/// ```
/// use socketry_service::Notify;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let notify = Notify::from_env()?;
/// notify.status("reading 40,000 keys").await?; // shown by `systemctl status`
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Notify {
    to: Option<Endpoint>,
    /// How often a beat is due: half of what the service manager allows.
    beat: Option<Duration>,
    check: Option<Check>,
}

impl Notify {
    /// The service manager that this process was started by.
    ///
    /// Beats are due if `WATCHDOG_USEC` is set, and `WATCHDOG_PID` is this process or not set.
    ///
    /// # Errors
    /// If `NOTIFY_SOCKET` is neither a path nor an abstract name: a `vsock` address, say.
    pub fn from_env() -> Result<Self> {
        Notify::from_variables(process::id(), |name| env::var(name).ok())
    }

    fn from_variables(own: u32, variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let to = variable("NOTIFY_SOCKET").filter(|at| !at.is_empty());
        let to = to.map(|at| endpoint(&at)).transpose()?;
        let number = |name| variable(name).and_then(|text| text.trim().parse::<u64>().ok());
        let watched = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(own));
        let allowed = number("WATCHDOG_USEC").filter(|usec| watched && *usec > 0);
        Ok(Notify {
            beat: allowed.map(|usec| Duration::from_micros(usec) / 2),
            to,
            check: None,
        })
    }

    /// Whether a service manager listens.
    pub fn is_heard(&self) -> bool {
        self.to.is_some()
    }

    /// How often a beat is due: half of `WATCHDOG_USEC`.
    pub fn beat(&self) -> Option<Duration> {
        self.to.as_ref().and(self.beat)
    }

    /// Asks `check` before each beat. If it gives `false`, or is not done when the next beat is
    /// due, there is none, and the service manager ends the service.
    ///
    /// A server's beats come from the task that accepts, and stop when that hangs. A check can ask
    /// for more: a [`Client`](crate::Client) of the own server proves that requests are answered.
    #[must_use]
    pub fn healthy_if<Fut>(mut self, check: impl Fn() -> Fut + Send + Sync + 'static) -> Self
    where
        Fut: Future<Output = bool> + Send + 'static,
    {
        self.check = Some(Arc::new(move || Box::pin(check())));
        self
    }

    /// The service is ready (`READY=1`).
    ///
    /// # Errors
    /// As [`send`](Notify::send).
    pub async fn ready(&self) -> Result<()> {
        self.send("READY=1").await
    }

    /// The service ends (`STOPPING=1`).
    ///
    /// # Errors
    /// As [`send`](Notify::send).
    pub async fn stopping(&self) -> Result<()> {
        self.send("STOPPING=1").await
    }

    /// One line about the service, for people. Of several lines, only the first is told.
    ///
    /// # Errors
    /// As [`send`](Notify::send).
    pub async fn status(&self, line: impl fmt::Display) -> Result<()> {
        let line = line.to_string();
        let first = line.lines().next().unwrap_or_default();
        self.send(&format!("STATUS={first}")).await
    }

    /// From now on this process is the service (`MAINPID=`), and not the one that it takes over
    /// from. Told before [`Takeover::ready`](socketry_transport::Takeover::ready), it is known
    /// before that one ends. A unit needs `NotifyAccess=all` for it.
    ///
    /// # Errors
    /// As [`send`](Notify::send).
    pub async fn main_process(&self) -> Result<()> {
        self.send(&format!("MAINPID={}", process::id())).await
    }

    /// Sends `lines`, each `NAME=value`, as one message.
    ///
    /// # Errors
    /// If the socket does not take it within 5 seconds. Without a service manager, never.
    pub async fn send(&self, lines: &str) -> Result<()> {
        let Some(to) = &self.to else {
            return Ok(());
        };
        let sent = async {
            let mut socket = Registry::standard().connect(to.clone()).await?;
            let sent = socket.send_all(lines.as_bytes()).await;
            sent.map_err(|error| Error::io("notify", to, error))
        };
        timeout(PATIENCE, sent).await.unwrap_or_else(|_| {
            let reason = format!("the service manager took no message within {PATIENCE:?}");
            Err(Error::new(ErrorKind::TimedOut, "notify", to).because(reason))
        })
    }

    pub(crate) async fn tell_ready(&self) {
        log(self.ready().await);
    }

    pub(crate) async fn tell_stopping(&self) {
        log(self.stopping().await);
    }

    /// A beat each time that one is due, as long as the service is healthy.
    pub(crate) async fn beats(self) {
        let Some(every) = self.beat() else {
            return;
        };
        loop {
            let next = Instant::now() + every;
            if self.is_healthy(next).await {
                log(self.send("WATCHDOG=1").await);
            }
            sleep_until(next).await;
        }
    }

    async fn is_healthy(&self, until: Instant) -> bool {
        let Some(check) = &self.check else {
            return true;
        };
        let healthy = timeout_at(until, check()).await;
        let healthy = healthy.unwrap_or(false);
        if !healthy {
            tracing::error!("the service is not healthy: no beat for the service manager");
        }
        healthy
    }
}

fn log(told: Result<()>) {
    if let Err(error) = told {
        tracing::warn!(%error, "the service manager was not told");
    }
}

fn endpoint(at: &str) -> Result<Endpoint> {
    let address = match (at.strip_prefix('@'), at.starts_with('/')) {
        (Some(name), _) => Address::Abstract(name.as_bytes().to_vec()),
        (None, true) => Address::Path(PathBuf::from(at)),
        (None, false) => {
            return Err(Error::new(ErrorKind::Unsupported, "notify", at)
                .because("NOTIFY_SOCKET is neither a path nor an abstract name (@name)"));
        }
    };
    Endpoint::new("unix-dgram", address)
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.to {
            Some(to) => write!(f, "Notify({to})"),
            None => write!(f, "Notify(nobody)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Result<Notify> {
        Notify::from_variables(7, |wanted| {
            let found = variables.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_socket_is_a_path_or_an_abstract_name() {
        let to = |at| with(&[("NOTIFY_SOCKET", at)]).expect("a socket").to;
        let url = |at| to(at).map(|at| at.to_string());
        assert_eq!(url("/run/n").as_deref(), Some("unix-dgram:///run/n"));
        assert_eq!(url("@n").as_deref(), Some("unix-dgram://@n"));
        assert_eq!(url(""), None);
        let error = with(&[("NOTIFY_SOCKET", "vsock:2:1234")]).expect_err("no Unix socket");
        assert!(error.to_string().contains("vsock:2:1234"), "{error}");
    }

    #[test]
    fn a_beat_is_due_at_half_of_the_time_if_this_process_is_watched() {
        let beat = |more: &[(&str, &str)]| {
            let some = [("NOTIFY_SOCKET", "@n"), ("WATCHDOG_USEC", "3000000")];
            with(&[&some, more].concat()).expect("a socket").beat()
        };
        assert_eq!(beat(&[]), Some(Duration::from_millis(1500)));
        assert_eq!(beat(&[("WATCHDOG_PID", "7")]), beat(&[]));
        assert_eq!(beat(&[("WATCHDOG_PID", "8")]), None);
        let alone = with(&[("WATCHDOG_USEC", "3000000")]).expect("nobody");
        assert_eq!(alone.beat(), None, "nobody listens");
    }

    #[tokio::test]
    async fn without_a_service_manager_nothing_is_told_and_nothing_fails() {
        let notify = with(&[]).expect("nobody");
        assert!(!notify.is_heard());
        notify.status("two\nlines").await.expect("nothing is sent");
    }
}
