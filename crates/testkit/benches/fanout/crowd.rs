//! The subscribers: plain sockets that one thread reads, counting bytes.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustix::event::epoll;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Both ends may be in one process.
pub(crate) fn raise_descriptors() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, raised).unwrap();
}

pub(crate) struct Crowd {
    readers: Vec<(TcpStream, usize)>,
    epoll: std::os::fd::OwnedFd,
    buf: Vec<u8>,
}

impl Crowd {
    /// Subscribers that say `first`.
    pub(crate) fn join(at: SocketAddr, count: usize, first: &[u8]) -> Self {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
        let readers: Vec<_> = (0..count)
            .map(|index| {
                let mut stream = TcpStream::connect(at).unwrap();
                stream.write_all(first).unwrap();
                stream.set_nonblocking(true).unwrap();
                let data = epoll::EventData::new_u64(index as u64);
                epoll::add(&epoll, &stream, data, epoll::EventFlags::IN).unwrap();
                (stream, 0)
            })
            .collect();
        Crowd {
            readers,
            epoll,
            buf: vec![0; 256 << 10],
        }
    }

    /// Reads what arrives within `patience`, and tells `each` how many bytes a reader had before
    /// and has now. `false` if nothing came.
    pub(crate) fn read(&mut self, patience: Duration, mut each: impl FnMut(usize, usize)) -> bool {
        let mut events = Vec::with_capacity(256);
        let wait = rustix::event::Timespec {
            tv_sec: 0,
            tv_nsec: i64::from(patience.subsec_nanos()),
        };
        epoll::wait(
            &self.epoll,
            rustix::buffer::spare_capacity(&mut events),
            Some(&wait),
        )
        .unwrap();
        for event in &events {
            let (stream, had) = &mut self.readers[event.data.u64() as usize];
            match stream.read(&mut self.buf) {
                Ok(0) => panic!("a server has ended a subscriber"),
                Ok(len) => {
                    each(*had, *had + len);
                    *had += len;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => panic!("{error}"),
            }
        }
        !events.is_empty()
    }

    /// Reads until every reader has so many bytes.
    pub(crate) fn read_until(&mut self, bytes: usize, mut each: impl FnMut(usize, usize)) {
        let deadline = Instant::now() + Duration::from_secs(120);
        let mut missing = self.readers.iter().filter(|(_, had)| *had < bytes).count();
        while missing > 0 {
            self.read(Duration::from_millis(200), |had, has| {
                missing -= usize::from(had < bytes && has >= bytes);
                each(had, has);
            });
            assert!(Instant::now() < deadline, "{missing} readers miss messages");
        }
        let more = self.readers.iter().find(|(_, had)| *had > bytes);
        assert!(
            more.is_none(),
            "a reader has {} bytes too many",
            more.unwrap().1 - bytes
        );
    }

    /// Whether everybody has got something.
    pub(crate) fn is_reached(&self) -> bool {
        self.readers.iter().all(|(_, had)| *had > 0)
    }

    /// Reads until nothing comes, and counts anew.
    pub(crate) fn settle(&mut self) {
        while self.read(Duration::from_millis(100), |_, _| {}) {}
        self.readers.iter_mut().for_each(|(_, had)| *had = 0);
    }
}
