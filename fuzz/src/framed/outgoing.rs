//! The model of the sending side: the bytes that may have been written. All sent frames are there
//! in order. A cancelled one is there as a whole or not at all.

use std::collections::BTreeSet;
use std::io::ErrorKind;

use bytes::BytesMut;
use socketry_codec::{BoxCodec, Codec, FrameError, FrameFault};

pub struct Outgoing {
    codec: BoxCodec,
    datagrams: bool,
    items: Vec<Item>,
    /// Finished or failed: nothing more may be written.
    over: bool,
}

struct Item {
    bytes: Vec<u8>,
    /// Its sender was cancelled, or failed.
    optional: bool,
}

impl Outgoing {
    pub fn new(codec: BoxCodec, datagrams: bool) -> Self {
        Outgoing {
            codec,
            datagrams,
            items: Vec::new(),
            over: false,
        }
    }

    pub fn with_codec(&mut self, codec: BoxCodec) {
        self.codec = codec;
    }

    pub fn sent(&mut self, frame: &[u8]) {
        let bytes = self.encoded(frame).expect("a frame that was taken");
        self.item(bytes, false);
    }

    pub fn perhaps(&mut self, frame: &[u8]) {
        if let Some(bytes) = self.encoded(frame) {
            self.item(bytes, true);
        }
    }

    /// The codec refuses it, or it is longer than a datagram.
    pub fn refused(&mut self, frame: &[u8], most: Option<usize>) {
        let encoded = self.encoded(frame);
        let fits = |bytes: &Vec<u8>| most.is_none_or(|most| bytes.len() <= most);
        assert!(!encoded.is_some_and(|bytes| fits(&bytes)));
    }

    pub fn body(&mut self, bytes: &[u8]) {
        self.item(bytes.to_vec(), false);
    }

    /// Asserts that all of it is `written`, if nothing had failed before.
    pub fn finished(&mut self, written: &[u8]) {
        if !self.over {
            self.check(written, true);
        }
        self.over = true;
    }

    /// Applies a failure to all that follows: the socket's own error is reported once, and ends a
    /// stream. Returns whether a part of the bytes may have been sent.
    pub fn fails(&mut self, error: &FrameError) -> bool {
        let FrameFault::Io(io) = error.fault() else {
            assert_eq!(error.is_fatal(), self.over);
            assert!(self.over || !matches!(error.fault(), FrameFault::Over));
            return false;
        };
        assert!(!self.over, "told already");
        assert_eq!(
            error.is_fatal(),
            !self.datagrams || io.kind() == ErrorKind::BrokenPipe
        );
        self.over = error.is_fatal();
        self.loses_datagram();
        true
    }

    /// The datagram that waited is lost with the error: the last one that was accepted, or one
    /// whose sender was cancelled since.
    fn loses_datagram(&mut self) {
        if !self.datagrams {
            return;
        }
        if let Some(last) = self.items.iter_mut().rev().find(|item| !item.optional) {
            last.optional = true;
        }
    }

    /// After the end, `finish` may succeed or fail. With datagrams it may fail before the end, and
    /// then sending goes on.
    pub fn finish_fails(&mut self, error: &FrameError) {
        assert!(error.is_fatal() || !self.over);
        let of_body = matches!(error.fault(), FrameFault::BodyUnwritten(_));
        assert!(error.is_fatal() || self.datagrams || of_body);
        self.over = error.is_fatal();
        self.loses_datagram();
    }

    fn item(&mut self, bytes: Vec<u8>, optional: bool) {
        assert!(optional || bytes.is_empty() || !self.over);
        self.items.push(Item { bytes, optional });
    }

    fn encoded(&self, frame: &[u8]) -> Option<Vec<u8>> {
        let mut out = BytesMut::new();
        let encoded = self.codec.clone().encode(frame, &mut out);
        encoded.ok().map(|()| out.to_vec())
    }

    /// Asserts that `written` is the beginning of the model's bytes, or with `whole` all of them.
    pub fn check(&self, written: &[u8], whole: bool) {
        let mut ends = BTreeSet::from([0]);
        for Item { bytes, optional } in &self.items {
            let mut next = BTreeSet::new();
            for &end in &ends {
                let rest = &written[end..];
                if rest.starts_with(bytes) {
                    next.insert(end + bytes.len());
                } else if !whole && bytes.starts_with(rest) {
                    return;
                }
                if *optional {
                    next.insert(end);
                }
            }
            ends = next;
        }
        assert!(
            ends.contains(&written.len()),
            "half a frame, or one too many"
        );
    }
}
