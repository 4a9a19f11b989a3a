//! `serial:///dev/ttyUSB0?baud=115200`: a serial line as a socket.

mod calls;
mod device;
mod halves;
mod hint;
mod holder;
mod line;
mod listener;
mod lock;
mod settings;
mod termios;

use async_trait::async_trait;

use crate::contract::endpoint::Endpoint;
use crate::contract::error::Result;
use crate::contract::socket::joined::Joined;
use crate::contract::transport::Transport;
use crate::contract::transport::keys::Keys;
use device::{Device, Place};
pub use halves::{SerialRecv, SerialSend};
pub use listener::SerialListener;
pub use settings::{SerialAccept, SerialFlow, SerialParity, SerialSettings};

/// A serial line, as a stream: RS-232, a USB adapter, a board, a modem, a pseudo terminal.
///
/// `serial:///dev/ttyUSB0?baud=9600&parity=even` names the device by its whole path, and its
/// [settings](SerialSettings) as the query: `baud` (default 115,200), `data_bits` (8), `parity`
/// (`none`), `stop_bits` (1), `flow` (`none`), `dtr`, `rts`, `exclusive` (`true`) and `accept`
/// (`open`). The line is in raw mode. The settings are read back: one that the device does not take
/// is an error, except a rate that is less than 2 % away. [`SerialSettings`] in the
/// [`Info`](crate::Info) has what the device says.
///
/// A line is less than a stream of a network:
///
/// * Bytes can be damaged or lost, as when a buffer is full without flow control. A codec finds the
///   next frame: `slip`, `cobs` or `line`, and `cobs+crc16:ibm-sdlc` notices damage too.
/// * It has no connection. [`connect`](Transport::connect) opens the device, whether there is a
///   peer or not. What is received first may be half a frame, or what the kernel kept from an
///   earlier conversation: the codec, and the peer, have to find a beginning.
/// * It has no half-close. [`finish`](crate::SendExt::finish) waits until the kernel has handed all
///   bytes to the device; the peer sees nothing. It ends, at both ends, when the line is hung up:
///   the device is unplugged, or the other side of a pseudo terminal is closed. That is
///   [`Received::End`](crate::Received::End); a send is an error then. What a program has not
///   received when a pseudo terminal is hung up, the kernel throws away.
/// * Each end knows only its own device, which is `local` and `peer` of its socket.
///
/// When both halves are dropped, the device gets its old settings back and is closed. If bytes are
/// left to send, a thread does so once they are sent, or when none was for 30 seconds, after which
/// they are thrown away. An [abort](crate::SendHalf::abort) throws them away at once. A process
/// that is killed restores nothing.
///
/// One program has the device: this crate takes the locks of picocom, pyserial and others
/// (flock(2)), of minicom and pppd (`/var/lock/LCK..ttyUSB0`, where the user may write there), and
/// the kernel's own (TIOCEXCL), and refuses a device that is locked, by the name of the program if
/// that can be known. A program that takes no lock, and had the device open before, is not noticed.
///
/// [`listen`](Transport::listen) opens the device, too. The listener gives one socket at once, and
/// the next when that is gone: it opens the device again then, and if that is missing, in use or
/// not this user's it waits until it is back. With `accept=data` it waits for the first byte each time, so that a
/// silent line is no client.
///
/// Opening a device may wait while another program closes it. The kernel raises DTR then, which
/// resets many boards; `dtr=false` drops it again, too late for most. `stty -F /dev/ttyUSB0 -hupcl`
/// keeps it as it is.
///
/// Linux only. It is in no registry by itself, since to open a device can have effects: add it
/// where all URLs are the user's, and none is a peer's.
///
/// ```no_run
/// use socketry_transport::{RecvExt, Registry, SendExt, SerialTransport};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let registry = Registry::standard().with("serial", SerialTransport::default());
/// let mut modem = registry.connect("serial:///dev/ttyUSB0?baud=115200").await?;
/// modem.send_all(b"ATI\r").await?;
/// let mut buf = [0; 64];
/// let (len, _) = modem.recv(&mut buf).await?;
/// println!("{}", buf[..len].escape_ascii());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct SerialTransport {
    settings: SerialSettings,
}

/// The socket of a [`SerialTransport`].
pub type SerialSocket = Joined<SerialRecv, SerialSend>;

impl SerialTransport {
    /// A transport with these settings for every line. The query of an endpoint overrides them.
    pub fn new(settings: SerialSettings) -> Self {
        SerialTransport { settings }
    }
}

#[async_trait]
impl Transport for SerialTransport {
    type Socket = SerialSocket;
    type Listener = SerialListener;

    fn keys(&self) -> Keys {
        settings::KEYS
    }

    async fn connect(&self, to: &Endpoint) -> Result<SerialSocket> {
        let (settings, place) = (self.settings.resolve(to)?, Place::of(to)?);
        let device = Device::open(&place, &settings, None)?;
        let device =
            calls::register(device).map_err(|error| hint::failed("open", &place, error))?;
        Ok(SerialSocket::over(device, &place))
    }

    async fn listen(&self, at: &Endpoint) -> Result<SerialListener> {
        let (settings, place) = (self.settings.resolve(at)?, Place::of(at)?);
        SerialListener::new(place, settings)
    }
}
