//! The laws of stream transports, for serial lines: a bank of them, as providers had modems. Each
//! client gets a cable of its own, and the listener opens the other end.
#![cfg(target_os = "linux")]

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use socketry_testkit::stream::Subject;
use socketry_transport::{
    BoxTransport, Endpoint, Error, ErrorKind, Keys, Listener, Result, SerialSettings, SerialSocket,
    SerialTransport, Transport, async_trait, erase,
};
use tokio::sync::mpsc;

#[path = "tools/null_modem.rs"]
mod null_modem;

use null_modem::NullModem;

#[derive(Default)]
struct Bank {
    lines: SerialTransport,
    cables: Arc<Mutex<Option<mpsc::UnboundedSender<NullModem>>>>,
}

struct BankListener {
    local: Endpoint,
    lines: SerialTransport,
    cables: mpsc::UnboundedReceiver<NullModem>,
    server: Arc<Mutex<Option<mpsc::UnboundedSender<NullModem>>>>,
}

impl Bank {
    /// The cable looks into the lines, and only root may open one that is locked.
    fn new() -> Self {
        Bank {
            lines: SerialTransport::new(SerialSettings {
                exclusive: false,
                ..SerialSettings::default()
            }),
            cables: Arc::default(),
        }
    }
}

#[async_trait]
impl Transport for Bank {
    type Socket = SerialSocket;
    type Listener = BankListener;

    fn keys(&self) -> Keys {
        self.lines.keys()
    }

    async fn connect(&self, to: &Endpoint) -> Result<SerialSocket> {
        let refused = || Error::new(ErrorKind::Refused, "connect to", to.clone().without_query());
        let server = self.cables.lock().expect("the server").clone();
        let cable = NullModem::new();
        let query = to.raw_query().map(|query| format!("?{query}"));
        let url = cable.url(0) + &query.unwrap_or_default();
        let client = self.lines.connect(&url.parse()?).await?;
        cable.in_use(0);
        let server = server.ok_or_else(refused)?;
        server.send(cable).map_err(|_closed| refused())?;
        Ok(client)
    }

    async fn listen(&self, at: &Endpoint) -> Result<BankListener> {
        SerialSettings::default().resolve(at)?;
        let mut server = self.cables.lock().expect("the server");
        if server.is_some() {
            return Err(Error::new(ErrorKind::InUse, "listen at", at));
        }
        let (sender, cables) = mpsc::unbounded_channel();
        *server = Some(sender);
        Ok(BankListener {
            local: at.clone().without_query(),
            lines: self.lines.clone(),
            cables,
            server: Arc::clone(&self.cables),
        })
    }
}

impl Listener for BankListener {
    type Socket = SerialSocket;

    fn local(&self) -> &Endpoint {
        &self.local
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<Result<SerialSocket>> {
        let closed = || Error::new(ErrorKind::Closed, "accept at", &self.local);
        let cable = ready!(self.cables.poll_recv(cx)).ok_or_else(closed)?;
        let at = cable.url(1).parse()?;
        // A line is open at once, and its first socket is there.
        let Poll::Ready(line) = pin!(self.lines.listen(&at)).poll(cx) else {
            return Poll::Ready(Err(closed()));
        };
        let accepted = line?.poll_accept(cx);
        cable.in_use(1);
        accepted
    }
}

impl Drop for BankListener {
    fn drop(&mut self) {
        *self.server.lock().expect("the server") = None;
    }
}

fn lines<T: Transport>(transport: T) -> Subject<T> {
    Subject::new(transport, "serial:///bank")
        .without_half_close()
        .except(
            "both_ends_name_each_other",
            "each end knows only its own device",
        )
        .except(
            "options_applied_are_read_back",
            "its settings are compared when it is opened: transport/tests/serial/settings.rs",
        )
}

fn erased() -> Subject<BoxTransport> {
    lines(erase(Bank::new()))
}

socketry_testkit::stream_laws!(serial, lines(Bank::new()));
socketry_testkit::stream_laws!(serial_erased, erased());
