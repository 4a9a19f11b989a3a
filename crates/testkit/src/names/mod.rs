//! The laws of resolvers, to run against one of your own: what
//! [`Resolve`](socketry_transport::Resolve) promises must hold.
//!
//! ```
//! use socketry_testkit::names::{Known, Subject};
//!
//! /// What the resolver is to know.
//! fn known() -> Known {
//!     let known = Known::default().host("chat.example", ["192.0.2.1".parse().unwrap()]);
//!     known.service("_chat._tcp.example", [(10, 5, 9000, "chat.example.")])
//! }
//!
//! socketry_testkit::names_laws!(known, Subject::new("known", known(), |known| known.clone()));
//! # fn main() {}
//! ```
//!
//! gives one test for each of the [laws]: `known::a_host_has_its_addresses` and so on.

mod addresses;
mod known;
mod services;
mod subject;

pub use known::Known;
pub use subject::Subject;

use crate::law::{Law, block_on};

/// The laws of resolvers, each named once: `$then! { $given… idea::law "statement", … }`.
#[doc(hidden)]
#[macro_export]
macro_rules! __names_laws {
    ([$($then:tt)+] $($given:tt)*) => {
        $($then)+! { $($given)*
            addresses::a_host_has_its_addresses
                "A host has exactly its addresses, each once.",
            addresses::an_address_is_itself
                "A host that is an address is that address.",
            addresses::letters_have_no_case
                "A host is the same whatever the case of its letters.",
            addresses::a_dot_at_the_end_makes_no_other_host
                "A host with a dot at its end is the same host.",
            addresses::a_host_that_is_not_there_is_an_error_that_names_it
                "A host that is not there is an error of the kind NotFound that names it.",
            addresses::no_text_is_an_empty_answer
                "A text that is no name is an error, and neither a panic nor an empty answer.",
            addresses::many_ask_at_once
                "Many that ask at once get what one gets.",
            addresses::a_question_that_is_dropped_spoils_none
                "A question that is dropped spoils none that is asked later.",
            services::a_service_has_its_servers
                "A service has exactly its servers, or the resolver says that it has no services.",
            services::a_service_that_is_not_there_is_an_error_that_names_it
                "A service that is not there is an error of the kind NotFound that names it.",
            services::a_service_that_is_refused_has_one_server_called_dot
                "A service that its domain refuses is one record whose target is a dot.",
            services::a_service_has_letters_without_case_and_perhaps_a_dot
                "A service is the same whatever the case of its letters, and with a dot at its end.",
        }
    };
}

macro_rules! table {
    ($($idea:ident :: $law:ident $statement:literal,)*) => {
        /// All laws of resolvers:
        $(#[doc = concat!("* `", stringify!($law), "`: ", $statement)])*
        pub fn laws() -> &'static [Law<Subject>] {
            const LAWS: &[Law<Subject>] = &[$(Law::new(
                stringify!($law),
                $statement,
                |subject| block_on($idea::$law(subject.clone())),
            )),*];
            LAWS
        }
    };
}

__names_laws! { [table] }

/// The law of this name.
///
/// # Panics
/// If there is none.
pub fn law(name: &str) -> Law<Subject> {
    let found = laws().iter().find(|law| law.name() == name);
    *found.unwrap_or_else(|| panic!("there is no law {name} for resolvers"))
}

/// A module of this name with one `#[test]` for each of the [laws of
/// resolvers](crate::names::laws), run against this [`Subject`](crate::names::Subject). The second
/// argument is an expression; each test evaluates it anew.
#[macro_export]
macro_rules! names_laws {
    ($module:ident, $subject:expr $(,)?) => {
        $crate::__names_laws! { [$crate::__law_tests] ($module, names, $subject) }
    };
}
