//! UDP on this machine with peers whose addresses look foreign, so that they have to prove them.
//! The ledger counts the bytes that a listener receives from and sends to each peer.

use std::collections::HashMap;
use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use socketry_apps::Service;
use socketry_transport::{
    Aborted, Endpoint, Half, Info, Joined, Listener, Received, RecvHalf, Result, SendHalf, Socket,
    Transport, UdpTransport, async_trait,
};
use tokio::io::ReadBuf;
use tokio::sync::watch;

/// The scheme `udp` for a service, and its ledger.
#[derive(Clone, Default)]
pub(crate) struct Elsewhere {
    pub(crate) ledger: Arc<Ledger>,
    /// How many of the next datagrams from connecting sockets are lost.
    pub(crate) losing: Arc<AtomicUsize>,
}

impl Elsewhere {
    /// A service over this transport.
    pub(crate) fn service(&self, codec: &str) -> Service {
        let mut service = Service::with_codec(codec).unwrap();
        service.registry = service.registry.with("udp", self.clone());
        service
    }
}

/// An address that no machine has (RFC 5737).
fn elsewhere(peer: &Endpoint) -> Endpoint {
    let port = peer.socket_addr().unwrap().port();
    format!("udp://192.0.2.1:{port}").parse().unwrap()
}

#[async_trait]
impl Transport for Elsewhere {
    type Socket = SeenSocket<<UdpTransport as Transport>::Socket>;
    type Listener = SeenListener;

    async fn connect(&self, to: &Endpoint) -> Result<Self::Socket> {
        let socket = UdpTransport::default().connect(to).await?;
        Ok(seen(socket, &Side::Connected(Arc::clone(&self.losing))))
    }

    async fn listen(&self, at: &Endpoint) -> Result<Self::Listener> {
        let listener = UdpTransport::default().listen(at).await?;
        Ok(SeenListener(listener, Arc::clone(&self.ledger)))
    }
}

pub(crate) struct SeenListener(<UdpTransport as Transport>::Listener, Arc<Ledger>);

impl Listener for SeenListener {
    type Socket = SeenSocket<<<UdpTransport as Transport>::Listener as Listener>::Socket>;

    fn local(&self) -> &Endpoint {
        self.0.local()
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::Socket>> {
        let socket = ready!(self.0.poll_accept(cx))?;
        Poll::Ready(Ok(seen(socket, &Side::Accepted(Arc::clone(&self.1)))))
    }
}

/// A half, its changed information, and the ledger of its bytes.
pub(crate) struct Seen<H>(H, Info, Side);

type SeenSocket<S> = Joined<Seen<<S as Socket>::Recv>, Seen<<S as Socket>::Send>>;

fn seen<S: Socket>(socket: S, side: &Side) -> SeenSocket<S> {
    let info = socket.info().clone();
    let info = info.with_peer(elsewhere(socket.peer()));
    let (recv, send) = socket.split();
    Joined::new(
        Seen(recv, info.clone(), side.clone()),
        Seen(send, info, side.clone()),
    )
}

#[derive(Clone)]
enum Side {
    Connected(Arc<AtomicUsize>),
    Accepted(Arc<Ledger>),
}

impl<H: Half> Half for Seen<H> {
    fn info(&self) -> &Info {
        &self.1
    }
}

impl<H: RecvHalf> RecvHalf for Seen<H> {
    fn recv_room(&self) -> usize {
        self.0.recv_room()
    }

    fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Received>> {
        let before = buf.filled().len();
        let received = ready!(self.0.poll_recv(cx, buf))?;
        if let Side::Accepted(ledger) = &self.2 {
            ledger.came(self.1.peer(), &buf.filled()[before..]);
        }
        Poll::Ready(Ok(received))
    }
}

impl<H: SendHalf> SendHalf for Seen<H> {
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let bytes: Vec<u8> = parts.iter().flat_map(|part| part.to_vec()).collect();
        match &self.2 {
            Side::Connected(losing) => {
                let less = |left: usize| left.checked_sub(1);
                let lost = losing.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
                if lost.is_ok() {
                    return Poll::Ready(Ok(bytes.len()));
                }
                self.0.poll_send(cx, parts)
            }
            Side::Accepted(ledger) => {
                let sent = ready!(self.0.poll_send(cx, parts))?;
                ledger.went(self.1.peer(), &bytes);
                Poll::Ready(Ok(sent))
            }
        }
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.poll_finish(cx)
    }
    fn abort(&mut self, code: u64) -> io::Result<Aborted> {
        self.0.abort(code)
    }
    fn abort_on_drop(&mut self, on: bool) -> io::Result<Aborted> {
        self.0.abort_on_drop(on)
    }
}

/// The bytes in both directions before an address was proved.
#[derive(Default)]
pub(crate) struct Ledger {
    accounts: Mutex<HashMap<String, Account>>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct Account {
    came: usize,
    went: usize,
    /// The cookie that was sent there.
    cookie: Option<String>,
    /// Whether the cookie came back.
    proven: bool,
    /// Whether that was answered.
    taken: bool,
    overdrawn: bool,
}

impl Ledger {
    fn came(&self, peer: &Endpoint, datagram: &[u8]) {
        let mut accounts = self.accounts.lock().unwrap();
        let account = accounts.entry(peer.to_string()).or_default();
        account.came += datagram.len();
        let said = cookie_in(datagram);
        account.proven |= said.is_some() && said == account.cookie;
    }

    fn went(&self, peer: &Endpoint, datagram: &[u8]) {
        let mut accounts = self.accounts.lock().unwrap();
        let account = accounts.entry(peer.to_string()).or_default();
        let told = cookie_in(datagram);
        account.taken |= account.proven && told.is_some();
        account.cookie = told.or(account.cookie.take());
        let by_operator = String::from_utf8_lossy(datagram).contains(r#""from":"operator""#);
        if !account.proven && !by_operator {
            account.went += datagram.len();
            account.overdrawn |= account.went > account.came;
        }
        drop(accounts);
        self.changed.send_replace(());
    }

    /// Waits until this many users have proved their addresses.
    pub(crate) async fn proven(&self, users: usize) {
        let mut changed = self.changed.subscribe();
        while self.count(|account| account.taken) < users {
            changed.changed().await.unwrap();
        }
    }

    /// How many users were sent more bytes than came from them before they had proved their
    /// addresses.
    pub(crate) fn overdrawn(&self) -> usize {
        self.count(|account| account.overdrawn)
    }

    fn count(&self, is_so: impl Fn(&Account) -> bool) -> usize {
        let accounts = self.accounts.lock().unwrap();
        accounts.values().filter(|account| is_so(account)).count()
    }
}

/// The cookie in a JSON datagram.
pub(crate) fn cookie_in(datagram: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(datagram);
    let (_, cookie) = text.split_once(r#""cookie":""#)?;
    let (cookie, _) = cookie.split_once('"')?;
    Some(cookie.to_owned())
}
