//! Codecs that are broken on purpose, each in one way, and the law that names it: the laws can
//! fail.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::BytesMut;
use socketry_codec::{
    Affix, BoxCodec, Codec, CodecError, CodecSpec, Content, Decoded, End, Fault, Line, Properties,
    Struct,
};
use socketry_testkit::codec::{LAWS, Limits, Subject, law};

type Answer = Result<Decoded, CodecError>;
type Envelope = Result<Option<(Affix, Affix)>, CodecError>;

/// A good codec, of which one function is replaced.
#[derive(Clone)]
struct Bent {
    good: BoxCodec,
    /// What the replacement remembers.
    memory: usize,
    /// What it shares with its clones.
    shared: Arc<AtomicUsize>,
    limits: Limits,
    decode: fn(&mut Bent, &[u8], End) -> Answer,
    encode: fn(&mut Bent, &[u8], &mut BytesMut) -> Result<(), CodecError>,
    envelope: fn(&mut Bent, &[u8]) -> Envelope,
    in_step: fn(&Bent) -> bool,
    properties: fn(&Bent) -> Properties,
}

impl Bent {
    /// Nothing is replaced yet.
    fn straight(good: BoxCodec, limits: Limits) -> Self {
        Bent {
            good,
            memory: 0,
            shared: Arc::default(),
            limits,
            decode: |bent, input, end| bent.good.decode(input, end),
            encode: |bent, frame, out| bent.good.encode(frame, out),
            envelope: |bent, frame| bent.good.envelope(frame),
            in_step: |bent| bent.good.in_step(),
            properties: |bent| bent.good.properties(),
        }
    }
}

impl Codec for Bent {
    fn decode(&mut self, input: &[u8], end: End) -> Answer {
        (self.decode)(self, input, end)
    }
    fn encode(&mut self, frame: &[u8], out: &mut BytesMut) -> Result<(), CodecError> {
        (self.encode)(self, frame, out)
    }
    fn envelope(&mut self, frame: &[u8]) -> Envelope {
        (self.envelope)(self, frame)
    }
    fn in_step(&self) -> bool {
        (self.in_step)(self)
    }
    fn properties(&self) -> Properties {
        (self.properties)(self)
    }
}

fn good(name: &str, limits: Limits) -> BoxCodec {
    let spec = CodecSpec {
        max_frame: Some(limits.max_frame),
        max_discard: Some(limits.max_discard),
        ..name.parse().unwrap()
    };
    spec.build().unwrap()
}

/// The codec of this name, bent.
fn bent(name: &'static str, bend: fn(&mut Bent)) -> Subject {
    let subject = Subject::new(format!("{name}, bent"), move |limits| {
        let mut bent = Bent::straight(good(name, limits), limits);
        bend(&mut bent);
        bent
    });
    subject.counted_by(|work| allocation_counter::measure(work).bytes_max)
}

fn frame(start: usize, end: usize, consumed: usize) -> Answer {
    Ok(Decoded::Frame {
        start,
        end,
        consumed,
    })
}

/// That law, and no panic of the suite itself, says what is wrong.
#[track_caller]
fn caught(name: &str, subject: &Subject) {
    let violation = law(name).check(subject).expect_err("it is broken");
    assert_eq!(violation.law(), name);
}

#[test]
fn the_straight_ones_pass() {
    for name in ["line", "line:;", "struct:>I"] {
        for law in LAWS {
            law.run(&bent(name, |_| {}));
        }
    }
}

#[test]
fn a_byte_lost_at_a_cut() {
    let broken = bent("line", |bent| {
        bent.decode = |bent, input, end| {
            let answer = bent.good.decode(input, end);
            let was_cut = std::mem::take(&mut bent.memory) > 0;
            bent.memory = usize::from(matches!(answer, Ok(Decoded::Need(_))) && !input.is_empty());
            match answer {
                Ok(Decoded::Frame {
                    start,
                    end,
                    consumed,
                }) if was_cut && start < end => {
                    let start = start + 1;
                    frame(start, end, consumed)
                }
                answer => answer,
            }
        };
    });
    caught("any_cut_gives_the_same_frames_and_errors", &broken);
}

#[test]
fn a_long_frame_that_loses_its_end() {
    let broken = bent("struct", |bent| {
        bent.decode = |bent, input, at| match bent.good.decode(input, at)? {
            Decoded::Frame {
                start,
                end,
                consumed,
            } => {
                let end = end.min(start + 255);
                frame(start, end, consumed)
            }
            other => Ok(other),
        };
    });
    caught("what_is_sent_arrives", &broken);
}

#[test]
fn white_space_that_is_taken_off() {
    let broken = bent("struct", |bent| {
        bent.decode = |bent, input, at| match bent.good.decode(input, at)? {
            Decoded::Frame {
                start,
                end,
                consumed,
            } => {
                let end = start + input[start..end].trim_ascii_end().len();
                frame(start, end, consumed)
            }
            other => Ok(other),
        };
    });
    caught("what_is_taken_arrives_as_it_is", &broken);
}

#[test]
fn a_buffer_thrown_away_with_its_first_frame() {
    let broken = bent("struct", |bent| {
        bent.decode = |bent, input, at| match bent.good.decode(input, at)? {
            Decoded::Frame { start, end, .. } => {
                let consumed = input.len();
                frame(start, end, consumed)
            }
            other => Ok(other),
        };
    });
    caught("frames_share_a_buffer", &broken);
}

#[test]
fn a_delimiter_that_is_sent_inside_a_frame() {
    let broken = bent("line:;", |bent| {
        bent.encode = |_, frame, out| {
            out.extend_from_slice(frame);
            out.extend_from_slice(b";");
            Ok(())
        };
    });
    caught("what_is_taken_arrives_as_it_is", &broken);
}

/// What ends in a carriage return: `hello\r\r\n` arrives as such a line, and cannot be sent as one.
fn relayed(encode: fn(&mut Bent, &[u8], &mut BytesMut) -> Result<(), CodecError>) {
    let broken = bent("line", |_| {});
    let build = move |limits| Bent {
        encode,
        ..Bent::straight(good("line", limits), limits)
    };
    law("what_arrived_is_sent_on_or_refused").run(&broken);
    let broken = Subject::new("line, relayed", build);
    caught("what_arrived_is_sent_on_or_refused", &broken);
}

#[test]
fn a_frame_that_vanishes_on_its_way_on() {
    relayed(|bent, frame, out| match frame {
        [.., b'\r'] => Ok(()),
        _ => bent.good.encode(frame, out),
    });
}

#[test]
fn a_frame_that_is_changed_on_its_way_on() {
    relayed(|bent, frame, out| bent.good.encode(frame.trim_ascii_end(), out));
}

#[test]
fn a_refusal_without_a_word() {
    relayed(|bent, frame, out| {
        let refused = bent.good.encode(frame, out);
        refused.map_err(|_| CodecError::skip(Fault::Other("".into()), 0))
    });
}

#[test]
fn half_a_frame_left_by_a_refusal() {
    let broken = bent("line", |bent| {
        bent.encode = |bent, frame, out| {
            let refused = bent.good.encode(frame, out);
            refused.inspect_err(|_| out.extend_from_slice(&frame[..frame.len() / 2]))
        };
    });
    caught("a_refused_frame_leaves_no_trace", &broken);
}

#[test]
fn encoding_over_what_is_there() {
    let broken = bent("struct", |bent| {
        bent.encode = |bent, frame, out| {
            out.clear();
            bent.good.encode(frame, out)
        };
    });
    caught("encode_appends", &broken);
}

#[test]
fn an_envelope_of_another_codec() {
    let broken = bent("struct:>I", |bent| {
        bent.envelope = |_, frame| Struct::new("<I".parse().unwrap()).envelope(frame);
    });
    caught("the_envelope_is_what_encode_writes", &broken);
    caught("framed_sends_what_encode_writes", &broken);
}

#[test]
fn half_a_frame_taken_for_a_whole_one() {
    let broken = bent("line", |bent| {
        bent.decode = |bent, input, end| match bent.good.decode(input, end)? {
            Decoded::Need(_) if input.len() > 3 => {
                let (start, end, consumed) = (0, input.len(), input.len());
                frame(start, end, consumed)
            }
            other => Ok(other),
        };
    });
    caught("an_unfinished_frame_needs_more", &broken);
}

#[test]
fn an_end_inside_a_frame_that_nobody_hears_of() {
    let broken = bent("struct", |bent| {
        bent.decode = |bent, input, end| match bent.good.decode(input, end) {
            Err(CodecError {
                fault: Fault::Truncated { .. },
                ..
            }) => Ok(Decoded::Skip(input.len())),
            answer => answer,
        };
    });
    caught("an_end_inside_a_frame_is_one_error", &broken);
}

#[test]
fn an_end_that_is_always_an_error() {
    let broken = bent("struct", |bent| {
        bent.decode = |bent, input, end| match end {
            End::Closed if input.is_empty() => Err(other("the end")),
            _ => bent.good.decode(input, end),
        };
    });
    caught("an_end_between_frames_is_clean", &broken);
}

fn other(text: &str) -> CodecError {
    CodecError::fatal(Fault::Other(text.into()))
}

/// A line codec with other limits than it was asked for.
fn limited(change: fn(Limits) -> Limits) -> Subject {
    Subject::new("line with other limits", move |limits| {
        good("line", change(limits))
    })
}

#[test]
fn limits_that_are_off_by_one() {
    let less = |limits: Limits| Limits {
        max_frame: limits.max_frame - 1,
        ..limits
    };
    caught("a_frame_at_the_limit_passes", &limited(less));
    let more = |limits: Limits| Limits {
        max_frame: limits.max_frame + 1,
        ..limits
    };
    caught("no_frame_is_above_the_limit", &limited(more));
    caught("a_frame_above_the_limit_is_not_sent", &limited(more));
    caught("a_frame_above_the_limit_is_one_error", &limited(more));
    let less = |limits: Limits| Limits {
        max_discard: limits.max_discard.saturating_sub(1),
        ..limits
    };
    caught("the_discard_limit_is_exact", &limited(less));
    let more = |limits: Limits| Limits {
        max_discard: limits.max_discard.saturating_add(1),
        ..limits
    };
    caught("the_discard_limit_is_exact", &limited(more));
}

#[test]
fn a_frame_outside_of_the_input() {
    let broken = bent("struct", |bent| {
        bent.decode = |bent, input, at| match bent.good.decode(input, at)? {
            Decoded::Frame {
                start,
                end,
                consumed,
            } => {
                let (end, consumed) = (end + 1, consumed + 1);
                frame(start, end, consumed)
            }
            other => Ok(other),
        };
    });
    caught("positions_lie_within_the_input", &broken);
}

#[test]
fn a_panic_at_some_input() {
    let broken = bent("struct", |bent| {
        bent.decode = |bent, input, end| {
            assert!(!input.starts_with(&[0xff]), "nobody sends that");
            bent.good.decode(input, end)
        };
    });
    caught("positions_lie_within_the_input", &broken);
}

#[test]
fn an_error_without_progress() {
    let broken = bent("struct", |bent| {
        bent.decode = |bent, input, end| {
            let answer = bent.good.decode(input, end);
            answer.map_err(|error| CodecError::skip(error.fault, 0))
        };
    });
    caught("every_error_makes_progress", &broken);
}

#[test]
fn an_error_told_again_for_what_is_left_of_its_frame() {
    let broken = bent("struct", |bent| {
        bent.decode = |bent, input, end| {
            let long = std::mem::replace(&mut bent.memory, 0);
            if long > 0 {
                return Err(CodecError::skip(Fault::Other("still".into()), long as u64));
            }
            bent.good
                .decode(input, end)
                .map_err(|error| match error.skip {
                    Some(skip) if skip > 1 && end == End::Open => {
                        bent.memory = usize::try_from(skip - 1).unwrap();
                        CodecError::skip(error.fault, 1)
                    }
                    _ => error,
                })
        };
    });
    caught("a_frame_above_the_limit_is_one_error", &broken);
}

#[test]
fn an_error_that_passes_over_too_much() {
    let broken = bent("struct", |bent| {
        bent.decode = |bent, input, end| {
            let answer = bent.good.decode(input, end);
            answer.map_err(|error| CodecError {
                skip: error.skip.map(|skip| skip + 1),
                ..error
            })
        };
    });
    caught("a_frame_above_the_limit_is_one_error", &broken);
}

#[test]
fn an_error_behind_which_the_codec_is_still_lost() {
    let broken = bent("struct:B", |bent| {
        bent.decode = |bent, input, end| {
            let lost = std::mem::take(&mut bent.memory) > 0;
            let answer = bent.good.decode(input, end);
            bent.memory = usize::from(answer.is_err());
            if lost { Ok(Decoded::Skip(1)) } else { answer }
        };
    });
    caught(
        "after_an_error_the_next_frame_is_found",
        &broken.carries(0, 255),
    );
}

#[test]
fn asking_for_too_much_or_for_nothing() {
    let one_more = bent("struct", |bent| {
        bent.decode = |bent, input, end| match bent.good.decode(input, end)? {
            Decoded::Need(bytes) => Ok(Decoded::Need(bytes + 1)),
            other => Ok(other),
        };
    });
    caught("need_is_truthful", &one_more);
    let nothing = bent("struct", |bent| {
        bent.decode = |bent, input, end| match bent.good.decode(input, end)? {
            Decoded::Need(_) => Ok(Decoded::Need(0)),
            other => Ok(other),
        };
    });
    caught("need_is_truthful", &nothing);
    caught("positions_lie_within_the_input", &nothing);
}

#[test]
fn a_claim_that_is_waited_for() {
    let broken = bent("struct:>I", |bent| {
        bent.decode = |bent, input, end| match (bent.good.decode(input, end), end) {
            (
                Err(CodecError {
                    fault: Fault::TooLong { len: Some(len), .. },
                    ..
                }),
                End::Open,
            ) => Ok(Decoded::Need(usize::try_from(len).unwrap())),
            (answer, _) => answer,
        };
    });
    caught("need_is_truthful", &broken);
    caught("memory_follows_what_arrived", &broken);
}

#[test]
fn a_claim_that_is_allocated() {
    let broken = bent("struct:>I", |bent| {
        bent.decode = |bent, input, end| {
            if let Some(header) = input.first_chunk() {
                let claimed = u32::from_be_bytes(*header) as usize;
                drop(Vec::<u8>::with_capacity(claimed.min(bent.limits.max_frame)));
            }
            bent.good.decode(input, end)
        };
    });
    caught("memory_follows_what_arrived", &broken);
}

#[test]
fn a_scan_that_begins_anew_each_time() {
    let forgetful = bent("line", |bent| {
        bent.decode = |bent, input, end| {
            // What is kept of a line that is too long is kept; how far the scan came is not.
            if bent.good.in_step() {
                bent.good = good("line", bent.limits);
            }
            bent.good.decode(input, end)
        };
    });
    caught("work_is_linear", &forgetful);
    let slow = Subject::new("a scan without memchr", |limits| {
        let mut bent = Bent::straight(Box::new(Line::new()), limits);
        bent.decode = |bent, input, end| match input.iter().position(|byte| *byte == b'\n') {
            None if end == End::Open => Ok(Decoded::Need(1)),
            _ => bent.good.decode(input, end),
        };
        bent
    });
    caught("work_is_linear", &slow);
}

#[test]
fn a_look_at_everything_for_each_frame() {
    let broken = bent("struct", |bent| {
        bent.decode = |bent, input, end| {
            bent.memory = input.iter().map(|byte| usize::from(*byte)).sum();
            bent.good.decode(input, end)
        };
    });
    caught("work_is_linear", &broken);
}

#[test]
fn a_frame_and_its_delimiter_in_a_datagram() {
    let broken = bent("line", |bent| {
        bent.decode = |bent, input, at| match (bent.good.decode(input, at)?, at) {
            (
                Decoded::Frame {
                    start, consumed, ..
                },
                End::Datagram,
            ) => {
                let end = consumed;
                frame(start, end, consumed)
            }
            (other, _) => Ok(other),
        };
    });
    caught("a_datagram_holds_its_frame", &broken);
}

#[test]
fn an_empty_datagram_that_spoils_the_next() {
    let broken = bent("struct", |bent| {
        bent.decode = |bent, input, end| {
            let spoilt = std::mem::replace(&mut bent.memory, usize::from(input.is_empty())) > 0;
            if spoilt && end == End::Datagram && !input.is_empty() {
                return Err(other("spoilt"));
            }
            bent.good.decode(input, end)
        };
    });
    caught("an_empty_datagram_is_decoded_once", &broken);
}

#[test]
fn a_bad_datagram_that_spoils_the_next() {
    let broken = bent("struct", |bent| {
        bent.decode = |bent, input, end| {
            if std::mem::take(&mut bent.memory) > 0 && end == End::Datagram {
                return Err(other("spoilt"));
            }
            let answer = bent.good.decode(input, end);
            bent.memory = usize::from(answer.is_err());
            answer
        };
    });
    caught("a_bad_datagram_touches_no_other", &broken);
}

#[test]
fn clones_that_share_what_they_remember() {
    let broken = bent("line:;", |bent| {
        bent.decode = |bent, input, end| {
            let scanned = bent.shared.load(Ordering::Relaxed).min(input.len());
            if end == End::Open && !input[scanned..].contains(&b';') && bent.good.in_step() {
                bent.shared.store(input.len(), Ordering::Relaxed);
                return bent.good.decode(&[], end);
            }
            bent.shared.store(0, Ordering::Relaxed);
            bent.good.decode(input, end)
        };
    });
    caught("a_clone_is_independent", &broken);
}

#[test]
fn an_encode_that_forgets_what_is_being_received() {
    let broken = bent("line", |bent| {
        bent.encode = |bent, frame, out| {
            bent.good = good("line", bent.limits);
            bent.good.encode(frame, out)
        };
    });
    caught("sending_does_not_disturb_receiving", &broken);
}

#[test]
fn in_step_at_any_time_or_never() {
    let always = bent("line", |bent| bent.in_step = |_| true);
    caught("in_step_says_that_another_may_take_over", &always);
    let never = bent("line", |bent| bent.in_step = |_| false);
    caught("in_step_says_that_another_may_take_over", &never);
}

/// `Framed` asks only when something is here; `Reader` and tokio-util ask once more.
#[test]
fn a_codec_that_waits_to_be_asked_of_nothing() {
    let broken = bent("struct:B", |bent| {
        bent.decode = |bent, input, end| {
            let rested = std::mem::replace(&mut bent.memory, usize::from(!input.is_empty())) == 0;
            match bent.good.decode(input, end) {
                Ok(Decoded::Frame { consumed, .. }) if !rested => Ok(Decoded::Skip(consumed)),
                answer => answer,
            }
        };
    });
    caught("framed_agrees", &broken.carries(0, 255));
}

#[test]
fn a_codec_that_is_another_each_time() {
    let built = AtomicUsize::new(0);
    let fickle = Subject::new("line or struct", move |limits| {
        let name = ["line", "struct"][built.fetch_add(1, Ordering::Relaxed) % 2];
        good(name, limits)
    });
    caught("a_boxed_codec_is_the_plain_one", &fickle);
}

#[test]
fn a_violation_says_which_law_which_codec_and_what_happened() {
    let broken = bent("struct", |bent| {
        bent.encode = |_, _, _| Ok(());
    });
    let violation = law("encode_appends").check(&broken).map(|()| "kept");
    assert_eq!(
        violation,
        Ok("kept"),
        "nothing is appended, and nothing touched"
    );
    let violation = law("what_is_sent_arrives").check(&broken).unwrap_err();
    assert_eq!(
        violation.to_string(),
        "struct, bent breaks what_is_sent_arrives (A frame of any length that the codec carries arrives as it was sent.): \
         b\"\", as encoded: at 0 comes nothing, and the frame b\"\" is due"
    );
}

#[test]
fn a_codec_that_declares_what_is_not_so() {
    type Declare = fn(&Bent) -> Properties;
    let cases: [(&str, Declare); 7] = [
        ("line", |_| Properties::default()),
        ("line", |bent| bent.good.properties().without_boundaries()),
        ("line", |bent| {
            bent.good.properties().carrying(Content::Delimited(b';'))
        }),
        ("struct:>I", |bent| {
            bent.good.properties().carrying(Content::Json)
        }),
        ("struct:>I", |bent| {
            bent.good.properties().carrying(Content::Delimited(b'\n'))
        }),
        ("struct:>I", |bent| {
            bent.good.properties().at_most(bent.limits.max_frame - 1)
        }),
        ("struct:>I", |bent| {
            bent.good.properties().at_most(bent.limits.max_frame + 1)
        }),
    ];
    for (name, declare) in cases {
        let subject = Subject::new(name, move |limits| {
            let mut bent = Bent::straight(good(name, limits), limits);
            bent.properties = declare;
            bent
        });
        caught("its_properties_are_true", &subject);
    }
}

#[test]
fn a_codec_that_counts_and_does_not_say_so() {
    let subject = bent("line", |bent| {
        bent.encode = |bent, frame, out| {
            bent.memory += 1;
            let frame = if bent.memory > 1 {
                [frame, b"!"].concat()
            } else {
                frame.to_vec()
            };
            bent.good.encode(&frame, out)
        };
    });
    caught("its_properties_are_true", &subject);
}
