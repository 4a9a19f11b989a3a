//! Sending, compared with the model.

use socketry_codec::Framed;

use super::DATAGRAM;
use super::patience::poll;
use super::play::Play;
use super::witness::Witness;

impl Play {
    fn sending(&mut self) -> &mut Framed<Witness> {
        self.send.as_mut().unwrap_or(&mut self.recv)
    }

    pub fn send(&mut self, patient: bool, frame: &[u8], flush: bool) {
        let sending = self.sending();
        let sent = match flush {
            true => poll(patient, sending.send(frame)),
            false => poll(patient, sending.feed(frame)),
        };
        match sent {
            Some(Ok(())) => self.outgoing.sent(frame),
            Some(Err(error)) if error.codec_fault().is_some() => {
                self.outgoing
                    .refused(frame, self.datagrams.then_some(DATAGRAM));
            }
            Some(Err(error)) if self.outgoing.fails(&error) => self.outgoing.perhaps(frame),
            Some(Err(_nothing_of_it)) => {}
            None => {
                self.send_waits(patient);
                self.outgoing.perhaps(frame);
            }
        }
    }

    pub fn send_body(&mut self, patient: bool, bytes: &[u8]) {
        let sending = self.sending();
        let owed = match sending.body_owed() {
            0 => bytes.len() as u64,
            owed => owed,
        };
        let most = usize::try_from(owed).unwrap_or(usize::MAX);
        let bytes = &bytes[..bytes.len().min(most)];
        let written = match sending.body_writer(owed) {
            Ok(mut body) => poll(patient, body.write(bytes)),
            Err(error) => Some(Err(error)),
        };
        match written {
            Some(Ok(written)) => self.outgoing.body(&bytes[..written]),
            Some(Err(error)) => drop(self.outgoing.fails(&error)),
            None => self.send_waits(patient),
        }
    }

    pub fn flush(&mut self, patient: bool) {
        match poll(patient, self.sending().flush()) {
            Some(Ok(())) => self.outgoing.check(&self.witness.taken(), true),
            Some(Err(error)) => drop(self.outgoing.fails(&error)),
            None => self.send_waits(patient),
        }
    }

    pub fn finish(&mut self, patient: bool) {
        match poll(patient, self.sending().finish()) {
            Some(Ok(())) => self.outgoing.finished(&self.witness.taken()),
            Some(Err(error)) => self.outgoing.finish_fails(&error),
            None => self.send_waits(patient),
        }
    }
}
