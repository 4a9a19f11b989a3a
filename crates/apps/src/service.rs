//! The user's choices: a transport by URL, a codec and an encoding by name.

use std::sync::Arc;

use socketry_codec::{CodecRegistry, CodecSpec, Framed, NamedCodec};
use socketry_transport::{BoxListener, BoxSocket, Encoding, Endpoint, Listener, Registry};

use crate::access::Access;
use crate::matrix::{self, App};
use crate::own::Own;
use crate::{AppError, encryption};

/// The default address of a server: only this machine, at a port that the system chooses.
pub(crate) const DEFAULT_URL: &str = "tcp://127.0.0.1:0";

/// The default codec.
pub(crate) const DEFAULT_CODEC: &str = "json";

/// The choices that all apps share: transports, codec and encoding.
///
/// Your own transports and codecs are chosen in the same way, once they are registered:
///
/// ```
/// use socketry_apps::Service;
/// use socketry_codec::{CodecRegistry, Line};
///
/// let codecs = CodecRegistry::standard().with("semicolon", |parameters| {
///     let line = Line::delimited(b';');
///     Ok(line.max_frame(parameters.max_frame().unwrap_or(1024)).into())
/// });
/// let service = Service {
///     codecs,
///     codec: "semicolon".into(),
///     ..Service::default()
/// };
/// ```
#[derive(Clone, Debug)]
pub struct Service {
    /// The transports by scheme. Default [`matrix::transports`].
    pub registry: Registry,
    /// The registry of codecs. Default [`CodecRegistry::standard`].
    pub codecs: CodecRegistry,
    /// The codec. Default `json`.
    pub codec: CodecSpec,
    /// The encoding of text on the wire, where the codec leaves that open. Default UTF-8. JSON is
    /// always UTF-8.
    pub encoding: Encoding,
    /// Whom a server lets in, and what a client proves. Default: everybody, and nothing.
    pub access: Access,
}

impl Default for Service {
    fn default() -> Self {
        Service {
            registry: matrix::transports(),
            codecs: CodecRegistry::standard(),
            codec: CodecSpec::new(DEFAULT_CODEC),
            encoding: Encoding::UTF_8,
            access: Access::default(),
        }
    }
}

impl Service {
    /// The [transports](matrix::transports) of the apps, and the codec of that name.
    ///
    /// # Errors
    /// If no codec has that name.
    pub fn with_codec(name: &str) -> Result<Self, AppError> {
        let service = Service {
            codec: CodecSpec::new(name),
            ..Service::default()
        };
        service.named()?;
        Ok(service)
    }

    /// Whether `app` runs over `scheme` with the codec of this service.
    ///
    /// # Errors
    /// One line with the reason, and what to use instead.
    pub fn check(&self, app: App, scheme: &str) -> Result<(), AppError> {
        matrix::check(app, scheme, &self.named()?)
    }

    /// The codec with its name.
    pub(crate) fn named(&self) -> Result<NamedCodec, AppError> {
        self.codecs.named(&self.codec).map_err(AppError::usage)
    }

    /// The codec with all that an app asks of it.
    pub(crate) fn own(&self) -> Result<Arc<Own>, AppError> {
        let own = Own::new(self.named()?, &self.codecs, self.encoding);
        Ok(Arc::new(own))
    }

    /// Connects to `url`, after a check that `app` runs over it.
    pub(crate) async fn connect(
        &self,
        app: App,
        url: &Endpoint,
    ) -> Result<Framed<BoxSocket>, AppError> {
        self.check(app, url.scheme())?;
        let registry = self.access.connecting(&self.registry)?;
        let socket = registry.connect(url).await?;
        Ok(Framed::new(socket, self.named()?.into_codec()))
    }

    /// Listens at `url`, after a check that `app` runs over it.
    pub(crate) async fn listen(&self, app: App, url: &Endpoint) -> Result<BoxListener, AppError> {
        self.check(app, url.scheme())?;
        let registry = self.access.listening(&self.registry, url)?;
        let listener = registry.listen(url).await?;
        // What an inherited socket carries is known once it is taken.
        for local in listener.locals() {
            self.check(app, local.scheme())?;
            self.access.check(&local)?;
        }
        Ok(self.access.bounded(encryption::pinned(listener)))
    }
}
