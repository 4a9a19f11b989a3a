//! The laws of a codec, to run against your own.
//!
//! ```
//! use socketry_codec::{Line, Struct};
//! use socketry_testkit::codec::Subject;
//!
//! # fn limited() -> Subject {
//! // The subject builds the codec with limits that the laws choose. One line then gives one test
//! // for each law: `socketry_testkit::codec_laws!(semicolon, subject());`
//! Subject::new("semicolon", |limits| {
//!     Line::delimited(b';').max_frame(limits.max_frame).max_discard(limits.max_discard)
//! })
//! # }
//! # for law in socketry_testkit::codec::LAWS { law.run(&limited()); }
//! ```
//!
//! A codec declares everything that it does not do, or does differently. The laws never find that
//! out by trying:
//!
//! | the codec | its subject |
//! |---|---|
//! | carries no frame shorter than this, or longer than its length field can say | [`carries`](Subject::carries) |
//! | carries frames of one length only | [`fixed`](Subject::fixed) |
//! | begins frames with bytes that say nothing alone | [`opening_with`](Subject::opening_with) |
//! | stuffs or compresses frames | [`taking_at_most`](Subject::taking_at_most) |
//! | takes no arbitrary bytes: JSON, text, records | [`shaped`](Subject::shaped) |
//! | takes frames of any length, whatever its limit | [`without_limits`](Subject::without_limits) |
//! | ends the conversation at each frame that is too long | [`without_skipping`](Subject::without_skipping) |
//! | passes over a frame of any length | [`without_max_discard`](Subject::without_max_discard) |
//! | looks for the next frame after damage: a mark, a checksum | [`resynchronising`](Subject::resynchronising) |
//! | takes the rest of an ending stream for a frame | [`keeping_the_last`](Subject::keeping_the_last) |
//! | knows no frames on a stream | [`without_boundaries`](Subject::without_boundaries) |
//!
//! Everything is deterministic. The inputs come from a fixed seed, and a violation prints its
//! input. The environment variable `SOCKETRY_LAW_ROUNDS` (1 by default) multiplies the number of
//! inputs.

mod cost;
mod cuts;
mod damage;
mod datagrams;
mod declared;
mod drive;
mod ends;
mod inputs;
mod limits;
mod many;
mod named;
mod progress;
mod sent;
mod state;
mod subject;
mod tiers;

pub use many::ByMany;
pub use subject::{Count, Limits, Subject};

use crate::law::Law;

/// The laws of codecs, each named once: `$then! { $given… idea::law "statement", … }`.
#[doc(hidden)]
#[macro_export]
macro_rules! __codec_laws {
    ([$($then:tt)+] $($given:tt)*) => {
        $($then)+! { $($given)*
            cuts::any_cut_gives_the_same_frames_and_errors
                "However a stream is cut into pieces, its frames and errors are the same.",
            sent::sent_frames_arrive
                "A frame of any length that the codec carries arrives as it was sent.",
            sent::frames_share_a_buffer
                "Frames that arrive at once are found one after another.",
            sent::accepted_frames_arrive_unchanged
                "A peer with the same codec receives every accepted frame unchanged.",
            sent::received_frames_are_relayed_or_refused
                "A decoded frame is encoded to the same frame, or refused; never lost or changed.",
            sent::a_refused_frame_leaves_no_trace
                "After an error of `encode`, the buffer has only the bytes of before.",
            sent::encode_appends
                "`encode` appends to the buffer, and the bytes in it change nothing.",
            sent::the_envelope_agrees_with_encode
                "Before, frame and after, put together, are what `encode` writes, byte for byte.",
            ends::an_unfinished_frame_needs_more
                "Cut at any byte, a frame on an open stream is `Need`.",
            ends::an_end_inside_a_frame_is_one_error
                "A stream that ends inside a frame is one error, after the frames that are whole.",
            ends::an_end_between_frames_is_clean
                "A stream that ends at a frame boundary ends without an error.",
            limits::a_frame_at_the_limit_passes
                "A frame exactly as long as the limit is sent and received.",
            limits::no_frame_is_above_the_limit
                "Whatever arrives, no frame is longer than the limit.",
            limits::a_frame_above_the_limit_is_not_sent
                "A frame one byte above the limit is refused by `encode`.",
            limits::a_frame_above_the_limit_is_one_error
                "A frame one byte above the limit is one error, and the next frame is whole.",
            limits::the_discard_limit_is_exact
                "A frame up to the discard limit is passed over; one byte more is fatal.",
            progress::positions_lie_within_the_input
                "Each answer lies within the input, at every end and for every input.",
            progress::every_error_makes_progress
                "An error passes over bytes, or is fatal: no bytes give two errors.",
            progress::after_an_error_the_next_frame_is_found
                "After the bytes that an error passes over, the next frame is found.",
            progress::need_is_truthful
                "`Need` asks for no more than the frame needs, nor for more than any frame can.",
            damage::damage_costs_only_the_damaged_frames
                "A codec that resynchronises loses only damaged frames, without waiting.",
            cost::memory_follows_the_bytes_that_arrived
                "Memory follows the bytes that arrived, and not the length that is claimed.",
            cost::work_is_linear
                "The work for a byte is bounded, for any length of frames and pieces.",
            datagrams::a_datagram_holds_its_frame
                "A frame that is sent as a datagram is the only one that arrives in it.",
            datagrams::an_empty_datagram_is_decoded_once
                "An empty datagram is one frame, one error, or nothing, and the next one is whole.",
            datagrams::a_bad_datagram_touches_no_other
                "Whatever a datagram holds, the next one is decoded as if it were the first.",
            state::a_clone_is_independent
                "A clone goes on from the codec's state, and both are independent then.",
            state::sending_does_not_disturb_receiving
                "Encoding in between changes no decoded frame.",
            state::at_boundary_says_that_another_may_take_over
                "Where `at_boundary` is true, as after a frame, a new codec decodes the same.",
            declared::its_properties_are_true
                "The declared `properties` are true: boundaries, content, length, state.",
            many::frames_found_ahead_are_those_found_one_by_one
                "`decode_many` and `whole` find the frames of `decode`, wherever the stream is cut.",
            many::frames_found_ahead_may_be_dropped
                "After the first frame of `decode_many`, a codec is as new.",
            many::frames_encoded_together_are_those_encoded_one_by_one
                "`encode_many` writes what `encode` does, and ends at the mark or the same error.",
            tiers::the_reader_agrees
                "`Reader` gives the frames and errors that `decode` gives.",
            tiers::framed_agrees
                "`Framed` gives the frames and errors of `decode`, one or many, borrowed or owned.",
            tiers::framed_sends_the_bytes_of_encode
                "`Framed` sends and feeds the bytes that `encode` writes.",
            tiers::tokio_util_agrees
                "Under tokio-util the frames and errors are those that `decode` gives.",
            tiers::a_boxed_codec_is_the_plain_one
                "Boxed, a codec gives the same answers.",
            tiers::its_name_builds_the_same_codec
                "The name of a named codec, printed and parsed, builds the same codec.",
        }
    };
}

macro_rules! table {
    ($($idea:ident :: $law:ident $statement:literal,)*) => {
        /// All laws of codecs:
        $(#[doc = concat!("* `", stringify!($law), "`: ", $statement)])*
        pub const LAWS: &[Law<Subject>] =
            &[$(Law::new(stringify!($law), $statement, $idea::$law)),*];
    };
}

__codec_laws! { [table] }

/// The law of this name.
///
/// # Panics
/// If there is none.
pub fn law(name: &str) -> Law<Subject> {
    let found = LAWS.iter().find(|law| law.name() == name);
    *found.unwrap_or_else(|| panic!("there is no law {name} for codecs"))
}

/// A module of this name with one `#[test]` for each of the [laws of codecs](crate::codec::LAWS),
/// run against this [`Subject`](crate::codec::Subject). The second argument is an expression, which
/// each test evaluates anew.
///
/// ```
/// use socketry_codec::Line;
/// use socketry_testkit::codec::Subject;
///
/// socketry_testkit::codec_laws!(semicolon, Subject::new("semicolon", |limits| {
///     Line::delimited(b';').max_frame(limits.max_frame).max_discard(limits.max_discard)
/// }));
/// ```
#[macro_export]
macro_rules! codec_laws {
    ($module:ident, $subject:expr $(,)?) => {
        $crate::__codec_laws! { [$crate::__law_tests] ($module, codec, $subject) }
    };
}
