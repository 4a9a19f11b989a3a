//! The laws of a hub, to run over a transport of your own: what [`Hub`](socketry_service::Hub)
//! promises must hold over it.
//!
//! ```
//! use socketry_testkit::hub::Subject;
//! use socketry_transport::Registry;
//!
//! socketry_testkit::hub_laws!(mem, Subject::new(Registry::standard(), "mem://*"));
//! # fn main() {}
//! ```
//!
//! gives one test for each of the [laws]: `mem::readers_that_stop_delay_nobody` and so on. Each has
//! readers with different codecs at once.

mod ending;
mod late;
mod order;
mod steps;
mod subject;

pub use subject::{AnyHub, AnyReader, How, Later, Ours, Subject};

use tokio::runtime::Builder;

use crate::law::{Law, Verdict};

/// The laws of hubs, each named once: `$then! { $given… idea::law "statement", … }`.
#[doc(hidden)]
#[macro_export]
macro_rules! __hub_laws {
    ([$($then:tt)+] $($given:tt)*) => {
        $($then)+! { $($given)*
            order::all_readers_get_all_messages_in_one_order
                "All readers get all messages in one order, whoever publishes, in any codec.",
            order::a_message_is_encoded_once_for_a_codec
                "A message is encoded once for each codec, and not for each reader.",
            order::a_topic_reaches_its_subscribers_only
                "A topic's messages reach those that have subscribed, and no others.",
            order::topics_keep_the_order_of_publishing
                "A reader of several topics gets their messages in the order of publishing.",
            order::a_sender_does_not_hear_itself
                "A reader that publishes does not get its own message; all others do.",
            order::a_message_that_a_codec_refuses_reaches_nobody
                "A message that one reader's codec cannot carry is an error, and reaches nobody.",
            late::readers_that_stop_delay_nobody
                "Readers that stop delay neither the others nor the sender.",
            late::a_late_reader_is_told_what_it_missed_and_where
                "A reader that falls behind is told how many it missed, at the place of the gap.",
            late::a_reader_that_is_to_be_cut_when_late_is_cut
                "A reader that is to be cut when it is late is cut, without a gap before.",
            late::receipts_wait_for_readers_that_pace
                "A receipt is kept until the readers that pace have taken the message.",
            late::receipts_do_not_wait_for_readers_that_stop
                "A receipt does not wait for a reader that takes nothing for too long.",
            ending::a_reader_that_is_gone_ends_alone
                "A reader whose peer is gone ends, and the others go on.",
            ending::a_reader_that_is_dropped_gets_nothing_more
                "A reader that is dropped gets nothing more, nor does its successor in its place.",
            ending::a_reader_that_finishes_gets_what_was_published
                "A reader that finishes gets what was published before, and nothing else.",
            ending::a_close_writes_what_waits
                "A close writes what waits, ends each reader in order, and takes nothing more.",
            ending::a_close_cuts_after_its_grace_time
                "A close cuts readers that do not read after its grace time.",
        }
    };
}

macro_rules! table {
    ($($idea:ident :: $law:ident $statement:literal,)*) => {
        /// All laws of hubs:
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

__hub_laws! { [table] }

/// The law of this name.
///
/// # Panics
/// If there is none.
pub fn law(name: &str) -> Law<Subject> {
    let found = laws().iter().find(|law| law.name() == name);
    *found.unwrap_or_else(|| panic!("there is no law {name} for hubs"))
}

/// Runs a law on two workers, so that the hub and its readers may truly run at once.
fn block_on(law: impl Future<Output = Verdict>) -> Verdict {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    let verdict = runtime.block_on(law);
    // What the hub left running must not keep the test.
    runtime.shutdown_background();
    verdict
}

/// A module of this name with one `#[test]` for each of the [laws of hubs](crate::hub::laws), run
/// over this [`Subject`](crate::hub::Subject). The second argument is an expression; each test
/// evaluates it anew.
#[macro_export]
macro_rules! hub_laws {
    ($module:ident, $subject:expr $(,)?) => {
        $crate::__hub_laws! { [$crate::__law_tests] ($module, hub, $subject) }
    };
}
