//! Broken state, declarations, and batches of codecs.

use super::*;

#[test]
fn clones_that_share_their_state() {
    let broken = bent("line:;", |bent| {
        bent.decode = |bent, input, end| {
            let scanned = bent.shared.load(Ordering::Relaxed).min(input.len());
            if end == End::Open && !input[scanned..].contains(&b';') && bent.good.at_boundary() {
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
fn an_encode_that_forgets_the_frame_being_received() {
    let broken = bent("line", |bent| {
        bent.encode = |bent, frame, out| {
            bent.good = good("line", bent.limits);
            bent.good.encode(frame, out)
        };
    });
    caught("sending_does_not_disturb_receiving", &broken);
}

#[test]
fn at_boundary_at_any_time_or_never() {
    let always = bent("line", |bent| bent.at_boundary = |_| true);
    caught("at_boundary_says_that_another_may_take_over", &always);
    let never = bent("line", |bent| bent.at_boundary = |_| false);
    caught("at_boundary_says_that_another_may_take_over", &never);
}

/// `Framed` asks only when bytes have arrived; `Reader` and tokio-util ask once more.
#[test]
fn a_codec_that_waits_to_be_asked_about_no_bytes() {
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
fn a_codec_with_a_false_declaration() {
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
fn a_codec_that_counts_without_a_declaration() {
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

#[test]
fn frames_ahead_that_are_no_frames() {
    let shifted = bent("struct:B", |bent| {
        bent.many = |bent, input, end, ahead| {
            let first = bent.good.decode(input, end)?;
            ahead.behind(first, input, |rest| match bent.good.decode(rest, end) {
                Ok(Decoded::Frame { start, end, .. }) => frame(start - 1, end, end).ok(),
                _ => None,
            });
            Ok(first)
        };
    });
    let law = "frames_found_ahead_are_those_found_one_by_one";
    caught(law, &shifted.carries(0, 255));
    let unlimited = bent("struct:B", |bent| {
        bent.many = |bent, input, end, ahead| {
            let first = bent.good.decode(input, end)?;
            let mut unlimited = Struct::new("B".parse().unwrap());
            ahead.behind(first, input, |rest| unlimited.decode(rest, end).ok());
            Ok(first)
        };
    });
    caught(law, &unlimited.carries(0, 255));
}

/// It remembers how far it has scanned the bytes after them.
#[test]
fn a_look_ahead_that_is_remembered() {
    let broken = bent("line", |bent| {
        bent.many = |bent, input, end, ahead| {
            let first = bent.good.decode(input, end)?;
            ahead.behind(first, input, |rest| bent.good.decode(rest, end).ok());
            Ok(first)
        };
    });
    caught("frames_found_ahead_are_those_found_one_by_one", &broken);
    caught("frames_found_ahead_may_be_dropped", &broken);
}

#[test]
fn a_whole_frame_that_is_another_or_changes_the_codec() {
    let law = "frames_found_ahead_are_those_found_one_by_one";
    let shifted = bent("struct:B", |bent| {
        bent.whole = |bent, input, end| match bent.good.decode(input, end) {
            Ok(Decoded::Frame { start, end, .. }) => frame(start - 1, end, end).ok(),
            _ => None,
        };
    });
    caught(law, &shifted.carries(0, 255));
    let broken = bent("line", |bent| {
        bent.whole = |bent, input, end| bent.good.decode(input, end).ok();
    });
    caught(law, &broken);
}

#[test]
fn a_mark_that_is_passed() {
    let broken = bent("struct", |bent| bent.beyond = 1);
    caught(
        "frames_encoded_together_are_those_encoded_one_by_one",
        &broken,
    );
}
