//! One datagram after another.

use bytes::Bytes;

use super::Subject;
use super::drive::{ensure, same, shown};
use super::inputs::{arrived, random};
use crate::law::Verdict;

pub(super) fn a_datagram_holds_its_frame(subject: &Subject) -> Verdict {
    let mut driver = subject.driver(subject.roomy());
    for frame in subject.frames(&mut random(), 20)? {
        let wire = subject.wire(&[&frame])?;
        let found = driver.datagram(&wire)?;
        same(&found, &arrived(&[&frame]), || {
            format!("the datagram {}", shown(&wire))
        })?;
    }
    Ok(())
}

pub(super) fn an_empty_datagram_is_decoded_once(subject: &Subject) -> Verdict {
    let mut driver = subject.driver(subject.roomy());
    for frame in subject.frames(&mut random(), 4)? {
        let empty = driver.datagram(b"")?;
        let frameless = empty.iter().flatten().all(Bytes::is_empty);
        ensure(empty.len() <= 1 && frameless, || {
            format!("an empty datagram becomes {empty:?}")
        })?;
        let wire = subject.wire(&[&frame])?;
        let found = driver.datagram(&wire)?;
        same(&found, &arrived(&[&frame]), || {
            format!("behind an empty datagram, {}", shown(&wire))
        })?;
    }
    Ok(())
}

pub(super) fn a_bad_datagram_touches_no_other(subject: &Subject) -> Verdict {
    let mut random = random();
    let good = subject.frame(&mut random, subject.least + 5)?;
    let good = subject.wire(&[&good])?;
    let mut driver = subject.driver(subject.small());
    for bad in subject.streams(&mut random)? {
        for datagram in [&bad, &good] {
            let found = driver.datagram(datagram)?;
            let due = subject.driver(subject.small()).datagram(datagram)?;
            same(&found, &due, || {
                format!(
                    "the datagram {}, at or behind {}",
                    shown(datagram),
                    shown(&bad)
                )
            })?;
            let errors = found.iter().filter(|event| event.is_err()).count();
            ensure(errors <= 1, || {
                format!("{errors} errors of the datagram {}", shown(datagram))
            })?;
        }
    }
    Ok(())
}
