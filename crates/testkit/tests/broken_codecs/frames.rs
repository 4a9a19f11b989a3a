//! Broken frames: cuts, ends, limits.

use super::*;

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
    caught("sent_frames_arrive", &broken);
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
    caught("accepted_frames_arrive_unchanged", &broken);
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
    caught("accepted_frames_arrive_unchanged", &broken);
}

/// Texts that end in a carriage return: `hello\r\r\n` arrives as such a line, and cannot be sent as
/// one.
fn relayed(encode: fn(&mut Bent, &[u8], &mut BytesMut) -> Result<(), CodecError>) {
    let broken = bent("line", |_| {});
    let build = move |limits| Bent {
        encode,
        ..Bent::straight(good("line", limits), limits)
    };
    law("received_frames_are_relayed_or_refused").run(&broken);
    let broken = Subject::new("line, relayed", build);
    caught("received_frames_are_relayed_or_refused", &broken);
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
fn encoding_over_the_bytes_in_the_buffer() {
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
    caught("the_envelope_agrees_with_encode", &broken);
    caught("framed_sends_the_bytes_of_encode", &broken);
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
fn an_end_inside_a_frame_without_an_error() {
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

/// A line codec with other limits than requested.
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
