//! Broken answers of codecs: progress, needs, work, datagrams.

use super::*;

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
fn an_error_reported_again_for_the_rest_of_its_frame() {
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
    caught("memory_follows_the_bytes_that_arrived", &broken);
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
    caught("memory_follows_the_bytes_that_arrived", &broken);
}

#[test]
fn a_scan_that_begins_anew_each_time() {
    let forgetful = bent("line", |bent| {
        bent.decode = |bent, input, end| {
            // The number of kept bytes is right, but the position of the scan is lost.
            if bent.good.at_boundary() {
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
