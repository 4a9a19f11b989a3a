//! The facts about a socket: shape, ends, extensions.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::contract::endpoint::Endpoint;
use crate::contract::socket::Shape;

/// The facts about a socket: its shape, its two ends, and extensions that a transport or a layer
/// adds.
///
/// Both halves of a socket have one. A layer passes on the one of the socket inside, or a clone
/// with one entry changed. So no extension is lost that the layer does not know, such as the peer's
/// [`Credentials`](crate::Credentials). It is cheap to clone.
///
/// An extension is a value that is found by its type. There is one value of each type: a later one
/// replaces an earlier one. A layer defines a type of its own for each fact that it adds.
///
/// ```
/// use socketry_transport::{Credentials, Info, Shape};
///
/// #[derive(Debug, PartialEq)]
/// struct Protocol(&'static str);
///
/// # fn main() -> Result<(), socketry_transport::Error> {
/// let info = Info::new(Shape::Stream, "mem://here".parse()?, "mem://there".parse()?);
/// let info = info.with(Protocol("h2")).with_peer("mem://behind-a-proxy".parse()?);
/// assert_eq!(info.get(), Some(&Protocol("h2")));
/// assert_eq!(info.get::<Credentials>(), None);
/// assert_eq!(info.peer().to_string(), "mem://behind-a-proxy");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Info {
    shape: Shape,
    local: Endpoint,
    peer: Endpoint,
    // Most sockets have no extensions, and then this is only a pointer.
    extensions: Option<Arc<Vec<Extension>>>,
}

type Extension = Arc<dyn Any + Send + Sync>;

impl Info {
    /// A socket of this shape, at `local` and connected to `peer`, without extensions.
    pub fn new(shape: Shape, local: Endpoint, peer: Endpoint) -> Self {
        Info {
            shape,
            local,
            peer,
            extensions: None,
        }
    }

    /// Stream or datagrams.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// This end, with the real port where port 0 was asked for.
    pub fn local(&self) -> &Endpoint {
        &self.local
    }

    /// The other end.
    pub fn peer(&self) -> &Endpoint {
        &self.peer
    }

    /// The extension of type `T`.
    pub fn get<T: Any + Send + Sync>(&self) -> Option<&T> {
        let mut all = self.extensions.iter().flat_map(|all| all.iter());
        all.find_map(|extension| extension.downcast_ref())
    }

    /// The same with one more extension, which replaces one of the same type.
    #[must_use]
    pub fn with<T: Any + Send + Sync>(mut self, value: T) -> Self {
        let all = self
            .extensions
            .get_or_insert_with(|| Arc::new(Vec::with_capacity(1)));
        let all = Arc::make_mut(all);
        all.retain(|extension| !extension.is::<T>());
        all.push(Arc::new(value));
        self
    }

    /// The same with another shape.
    #[must_use]
    pub fn with_shape(self, shape: Shape) -> Self {
        Info { shape, ..self }
    }

    /// The same with another local end.
    #[must_use]
    pub fn with_local(self, local: Endpoint) -> Self {
        Info { local, ..self }
    }

    /// The same with another peer.
    #[must_use]
    pub fn with_peer(self, peer: Endpoint) -> Self {
        Info { peer, ..self }
    }
}

/// The ends without a user name and password, and the number of extensions.
impl fmt::Debug for Info {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let extensions = self.extensions.as_ref().map_or(0, |all| all.len());
        f.debug_struct("Info")
            .field("shape", &self.shape)
            .field("local", &format_args!("{}", self.local.redacted()))
            .field("peer", &format_args!("{}", self.peer.redacted()))
            .field("extensions", &extensions)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn info() -> Info {
        let at = |name: &str| name.parse().unwrap();
        Info::new(Shape::Stream, at("mem://here"), at("mem://there"))
    }

    #[test]
    fn a_later_value_takes_the_place_of_an_earlier_one_of_its_type() {
        let first = info().with(1_u8).with("text").with(2_u16);
        let second = first.clone().with(3_u8);
        assert_eq!((first.get(), second.get()), (Some(&1_u8), Some(&3_u8)));
        assert_eq!(second.get(), Some(&"text"));
        assert_eq!(second.get(), Some(&2_u16));
        assert_eq!(second.extensions.unwrap().len(), 3);
    }

    #[test]
    fn what_is_dropped_with_the_last_clone_is_dropped_once() {
        let token = Arc::new(());
        let first = info().with(Arc::clone(&token));
        let second = first.clone().with_shape(Shape::Datagram { max_len: 1 });
        drop(first);
        assert_eq!(second.get::<Arc<()>>().map(Arc::strong_count), Some(2));
        drop(second);
        assert_eq!(Arc::strong_count(&token), 1);
    }

    #[test]
    fn no_password_is_printed() {
        let shown = format!(
            "{:?}",
            info().with_peer("ssh://me:hunter2@there".parse().unwrap())
        );
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
