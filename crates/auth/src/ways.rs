//! The authenticators that come with this crate.

mod anonymous;
#[cfg(feature = "tls")]
mod certificates;
mod first_of;
mod tokens;
mod users;

pub use anonymous::Anonymous;
#[cfg(feature = "tls")]
pub use certificates::Certificates;
pub use first_of::FirstOf;
pub use tokens::Tokens;
pub use users::Users;
