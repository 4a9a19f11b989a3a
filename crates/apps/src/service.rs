//! What a user chooses: a transport by URL, a codec and an encoding by name.

use bytes::BytesMut;
use socketry_codec::{Codec, CodecSpec, Framed};
use socketry_transport::{BoxListener, BoxSocket, Encoding, Endpoint, Registry};

use crate::AppError;
use crate::matrix::{self, App};

/// Where a server listens when nothing is said: this machine only, at a port of the system's
/// choice.
pub(crate) const DEFAULT_URL: &str = "tcp://127.0.0.1:0";

/// The choices that all apps share: transports, codec and encoding.
#[derive(Clone, Debug)]
pub struct Service {
    /// Where schemes are looked up. Default [`matrix::transports`].
    pub registry: Registry,
    /// What makes frames of bytes. Default `json`.
    pub codec: CodecSpec,
    /// How text is written on the wire, where the codec leaves that open. Default UTF-8. JSON is
    /// always UTF-8.
    pub encoding: Encoding,
}

impl Default for Service {
    fn default() -> Self {
        Service {
            registry: matrix::transports(),
            codec: CodecSpec::new(socketry_codec::CodecName::Json(
                socketry_codec::Format::default(),
            )),
            encoding: Encoding::UTF_8,
        }
    }
}

impl Service {
    /// The [transports](matrix::transports) of the apps, and the codec of that name.
    ///
    /// # Errors
    /// If no codec has that name.
    pub fn with_codec(name: &str) -> Result<Self, AppError> {
        let codec = name.parse().map_err(AppError::usage)?;
        Ok(Service {
            codec,
            ..Service::default()
        })
    }

    /// Connects to `url`, once it is clear that `app` runs over it.
    pub(crate) async fn connect(
        &self,
        app: App,
        url: &Endpoint,
    ) -> Result<Framed<BoxSocket>, AppError> {
        matrix::check(app, url.scheme(), self.codec.name)?;
        let socket = self.registry.connect(url).await?;
        self.framed(socket)
    }

    /// Listens at `url`, once it is clear that `app` runs over it.
    pub(crate) async fn listen(&self, app: App, url: &Endpoint) -> Result<BoxListener, AppError> {
        matrix::check(app, url.scheme(), self.codec.name)?;
        self.codec.build().map_err(AppError::usage)?;
        Ok(self.registry.listen(url).await?)
    }

    /// A frame as it goes on the wire; nothing, if the codec cannot carry it.
    pub(crate) fn encoded(&self, frame: &[u8]) -> Vec<u8> {
        let mut out = BytesMut::new();
        match self
            .codec
            .build()
            .map(|mut codec| codec.encode(frame, &mut out))
        {
            Ok(Ok(())) => out.to_vec(),
            _ => Vec::new(),
        }
    }

    /// A socket with the chosen codec.
    pub(crate) fn framed(&self, socket: BoxSocket) -> Result<Framed<BoxSocket>, AppError> {
        Ok(Framed::new(
            socket,
            self.codec.build().map_err(AppError::usage)?,
        ))
    }
}
