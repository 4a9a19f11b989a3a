//! The tutorial's `MySocket`: text over a UDP socket.

use std::fmt;

use crate::contract::datagram::DatagramSocket;
use crate::contract::endpoint::Endpoint;
use crate::contract::error::{Error, ErrorKind, Result};
use crate::kernel::bound::OsDatagram;
use crate::kernel::udp::UdpTransport;
use crate::text::{Encoding, TextSocket};

impl TextSocket<OsDatagram> {
    /// The tutorial's `MySocket`: a UDP socket at a free port that speaks `encoding`, a label such
    /// as `"gbk"` or an [`Encoding`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use socketry_transport::{PeerAddr, TextSocket};
    ///
    /// let server = TextSocket::udp_at("udp://127.0.0.1:0", "gbk").await?;
    /// let client = TextSocket::udp("gbk").await?;
    /// let to = PeerAddr::try_from(server.local())?;
    ///
    /// client.send_to("你好", &to).await?;
    /// let (text, _from) = server.recv_from(1024).await?;
    /// assert_eq!(text, "你好");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`InvalidOption`](ErrorKind::InvalidOption) for a label that names no encoding; else as
    /// [`UdpTransport::bind`].
    pub async fn udp<L>(encoding: L) -> Result<Self>
    where
        L: TryInto<Encoding>,
        L::Error: fmt::Display,
    {
        TextSocket::udp_at("udp://0.0.0.0:0", encoding).await
    }

    /// The same, bound at `at`.
    ///
    /// # Errors
    /// As [`udp`](TextSocket::udp).
    pub async fn udp_at<E, L>(at: E, encoding: L) -> Result<Self>
    where
        E: TryInto<Endpoint>,
        Error: From<E::Error>,
        L: TryInto<Encoding>,
        L::Error: fmt::Display,
    {
        let at = at.try_into()?;
        let encoding = encoding.try_into().map_err(|error| {
            Error::new(ErrorKind::InvalidOption, "listen at", &at).because(error)
        })?;
        Ok(TextSocket::new(
            UdpTransport::default().bind(&at).await?,
            encoding,
        ))
    }
}

impl<S: DatagramSocket> TextSocket<S> {
    /// Where it is bound, with the real port.
    pub fn local(&self) -> &Endpoint {
        self.get_ref().local()
    }
}
