//! Broken restoring of frames that have another form on the wire.

use socketry_codec::Cobs;

use super::*;

/// `cobs` with the replacement that `bend` makes.
fn cobs(bend: fn(&mut Bent)) -> Subject {
    let subject = Subject::new("cobs, bent", move |limits| {
        let mut bent = Bent::straight(Cobs::new().max_frame(limits.max_frame).into(), limits);
        bend(&mut bent);
        bent
    });
    let subject = subject.without_max_discard();
    subject.counted_by(|work| allocation_counter::measure(work).bytes_max)
}

#[test]
fn the_straight_one_passes() {
    for law in LAWS {
        law.run(&cobs(|_| {}));
    }
}

#[test]
fn restored_into_a_buffer_that_it_thinks_its_own() {
    let broken = cobs(|bent| {
        bent.restore = |bent, coded, out| {
            out.clear();
            bent.good.restore(coded, out)
        };
    });
    caught("sent_frames_arrive", &broken);
}

#[test]
fn restored_without_its_last_byte() {
    let broken = cobs(|bent| {
        bent.restore = |bent, coded, out| {
            bent.good.restore(coded, out)?;
            out.truncate(out.len() - usize::from(out.ends_with(b"\0")));
            Ok(())
        };
    });
    caught("accepted_frames_arrive_unchanged", &broken);
}

#[test]
fn restored_beyond_the_limit() {
    let broken = Subject::new("cobs without a limit", |limits| {
        Bent::straight(Cobs::new().max_frame(usize::MAX).into(), limits)
    });
    caught("no_frame_is_above_the_limit", &broken);
    caught("a_frame_above_the_limit_is_one_error", &broken);
}

#[test]
fn room_for_the_longest_frame_before_there_is_one() {
    let broken = cobs(|bent| {
        bent.restore = |bent, coded, out| {
            out.reserve(bent.limits.max_frame);
            bent.good.restore(coded, out)
        };
    });
    caught("memory_follows_the_bytes_that_arrived", &broken);
}

#[test]
fn a_state_that_restoring_leaves_behind() {
    let broken = cobs(|bent| {
        bent.decode = |bent, input, end| match bent.good.decode(input, end) {
            Ok(Decoded::Coded { consumed, .. }) if bent.memory > 0 => {
                bent.memory = 0;
                Err(CodecError::skip(
                    Fault::Other("behind".into()),
                    consumed as u64,
                ))
            }
            answer => answer,
        };
        bent.restore = |bent, coded, out| {
            bent.memory = 1;
            bent.good.restore(coded, out)
        };
    });
    caught("frames_share_a_buffer", &broken);
}
