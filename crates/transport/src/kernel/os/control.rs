//! Control messages, which are sent along with bytes and are not part of them (cmsg(3)).

#![expect(
    unsafe_code,
    reason = "a header of the kernel's lies among plain bytes; see each block"
)]

use std::mem::MaybeUninit;

use libc::{c_int, c_uint, cmsghdr};

/// Room for control messages of `N` bytes in all. The messages in it follow one another.
#[repr(C, align(8))]
pub(super) struct Control<const N: usize> {
    bytes: [MaybeUninit<u8>; N],
    len: usize,
}

/// One control message.
pub(super) struct Message<'a> {
    pub(super) level: c_int,
    pub(super) kind: c_int,
    pub(super) data: &'a [u8],
}

/// The bytes that a message with `len` bytes of data takes, with those that align the next one.
#[allow(
    clippy::cast_possible_truncation,
    reason = "the data of a message is short"
)]
pub(super) const fn space(len: usize) -> usize {
    // SAFETY: arithmetic.
    unsafe { libc::CMSG_SPACE(len as c_uint) as usize }
}

/// The bytes of a message with `len` bytes of data.
#[allow(
    clippy::cast_possible_truncation,
    reason = "the data of a message is short"
)]
const fn extent(len: usize) -> usize {
    // SAFETY: arithmetic.
    unsafe { libc::CMSG_LEN(len as c_uint) as usize }
}

impl<const N: usize> Control<N> {
    /// No messages.
    pub(super) fn new() -> Self {
        // Zeros, since the kernel does not write the bytes between two messages.
        let bytes = [MaybeUninit::new(0); N];
        Control { bytes, len: 0 }
    }

    /// Appends a message, if there is room for it.
    pub(super) fn push(&mut self, level: c_int, kind: c_int, data: &[u8]) {
        let end = self.len + space(data.len());
        let Some(room) = self.bytes.get_mut(self.len..end) else {
            debug_assert!(false, "a control message finds no room");
            return;
        };
        // SAFETY: a struct of integers, all of which may be zero.
        let mut header: cmsghdr = unsafe { std::mem::zeroed() };
        header.cmsg_len = extent(data.len()) as _;
        header.cmsg_level = level;
        header.cmsg_type = kind;
        // SAFETY: the room is longer than a header, and is written without regard to alignment.
        unsafe {
            room.as_mut_ptr().cast::<cmsghdr>().write_unaligned(header);
        };
        for (to, from) in room[extent(0)..].iter_mut().zip(data) {
            to.write(*from);
        }
        self.len = end;
    }

    /// The messages to send.
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.upto(self.len)
    }

    /// The room for messages to receive. The caller gives the number of bytes that the kernel
    /// filled to [`messages`](Self::messages).
    pub(super) fn room(&mut self) -> &mut [MaybeUninit<u8>] {
        &mut self.bytes
    }

    /// The messages in the first `len` bytes.
    pub(super) fn messages(&self, len: usize) -> Messages<'_> {
        Messages(self.upto(len))
    }

    fn upto(&self, len: usize) -> &[u8] {
        let bytes: &[MaybeUninit<u8>] = &self.bytes[..len.min(N)];
        // SAFETY: all bytes were initialised when this was made, and no code makes one
        // uninitialised.
        unsafe { &*(std::ptr::from_ref(bytes) as *const [u8]) }
    }
}

/// Control messages, in order.
pub(super) struct Messages<'a>(&'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        let head = self.0.get(..size_of::<cmsghdr>())?;
        // SAFETY: the slice is as long as a header, a struct of integers for which any bytes will
        // do, and is read without regard to alignment.
        let header = unsafe { head.as_ptr().cast::<cmsghdr>().read_unaligned() };
        let data = self.0.get(extent(0)..header.cmsg_len as usize)?;
        self.0 = self.0.get(space(data.len())..).unwrap_or_default();
        Some(Message {
            level: header.cmsg_level,
            kind: header.cmsg_type,
            data,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_pushed_is_found() {
        let mut control = Control::<{ space(3) + space(8) }>::new();
        control.push(1, 2, b"abc");
        control.push(3, 4, b"12345678");
        let len = control.as_bytes().len();
        let found: Vec<_> = control
            .messages(len)
            .map(|message| (message.level, message.kind, message.data.to_vec()))
            .collect();
        assert_eq!(
            found,
            [(1, 2, b"abc".to_vec()), (3, 4, b"12345678".to_vec())]
        );
    }

    #[test]
    fn a_message_that_is_cut_is_none() {
        let mut control = Control::<{ space(8) }>::new();
        control.push(3, 4, b"12345678");
        for len in 0..extent(8) {
            assert_eq!(control.messages(len).count(), 0, "{len} bytes");
        }
    }
}
