//! The effects of runs and batches on a socket, and their behaviour where the kernel refuses them.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::future::poll_fn;
use std::io;

use socket2::{Domain, SockAddr, Type};

use super::super::{Os, open};
use super::batches::Named;
use super::offload;
use crate::contract::datagram::batch::Batch;
use crate::kernel::addr::{self, Scheme};

/// A bound UDP socket and its address.
fn bound() -> (Os, SockAddr) {
    let socket = open(Domain::IPV4, Type::DGRAM, None).unwrap();
    let at: std::net::SocketAddr = "127.0.0.1:0".parse().unwrap();
    socket.bind(&at.into()).unwrap();
    let at = socket.local_addr().unwrap();
    (Os::located(socket, Scheme::Udp).unwrap().0, at)
}

async fn send(os: &Os, bytes: &[u8], size: usize, to: &SockAddr) -> io::Result<usize> {
    os.writable().await?;
    os.try_send_run(bytes, size, &addr::peer_addr(to))
}

/// Numbered datagrams, each of `size` bytes, and one of a single byte.
fn run(count: u8, size: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..count).flat_map(|number| vec![number; size]).collect();
    bytes.push(count);
    bytes
}

async fn receive(os: &Os, count: usize) -> Vec<Vec<u8>> {
    let mut batch = Batch::new();
    while batch.len() < count {
        poll_fn(|cx| os.poll_recv_batch(cx, &mut batch, Named::No))
            .await
            .unwrap();
    }
    batch
        .iter()
        .map(|datagram| datagram.bytes.to_vec())
        .collect()
}

/// Without checksums the kernel refuses to cut a run, and answers EINVAL.
#[tokio::test]
async fn a_run_that_the_kernel_refuses_goes_one_by_one() {
    let ((from, _), (to, at)) = (bound(), bound());
    offload::set_int(from.socket(), libc::SOL_SOCKET, libc::SO_NO_CHECK, 1).unwrap();
    let bytes = run(20, 100);
    let refused = offload::send_run(from.socket(), &bytes, 100, Some(&at), None).unwrap_err();
    assert_eq!(refused.raw_os_error(), Some(libc::EINVAL));

    let mut rest = &bytes[..];
    while !rest.is_empty() {
        let sent = send(&from, rest, 100, &at).await.unwrap();
        assert_eq!(sent, rest.len().min(100));
        rest = &rest[sent..];
    }
    let expected: Vec<_> = bytes.chunks(100).map(<[u8]>::to_vec).collect();
    assert_eq!(receive(&to, 21).await, expected);
    assert!(to.socket().recv(&mut []).is_err(), "a datagram came twice");
}

#[tokio::test]
async fn a_refused_address_ends_no_runs() {
    let ((from, _), (to, at)) = (bound(), bound());
    let nowhere: std::net::SocketAddr = "127.0.0.1:0".parse().unwrap();
    let bytes = run(9, 100);
    let refused = send(&from, &bytes, 100, &nowhere.into()).await.unwrap_err();
    assert_eq!(refused.raw_os_error(), Some(libc::EINVAL));
    assert_eq!(send(&from, &bytes, 100, &at).await.unwrap(), bytes.len());
    assert_eq!(receive(&to, 10).await.concat(), bytes);
}

#[tokio::test]
async fn runs_and_batches_leave_the_options_alone() {
    const WATCHED: [(i32, i32); 6] = [
        (libc::IPPROTO_IP, libc::IP_MTU_DISCOVER),
        (libc::IPPROTO_IP, libc::IP_TOS),
        (libc::IPPROTO_IP, libc::IP_RECVTOS),
        (libc::IPPROTO_IP, libc::IP_PKTINFO),
        (libc::SOL_SOCKET, libc::SO_TIMESTAMPNS),
        (libc::SOL_UDP, libc::UDP_SEGMENT),
    ];
    let (os, at) = bound();
    let options =
        || WATCHED.map(|(level, name)| offload::get_int(os.socket(), level, name).unwrap());
    offload::set_int(os.socket(), libc::IPPROTO_IP, libc::IP_TOS, 16).unwrap();
    let before = options();
    assert_eq!(before[..2], [libc::IP_PMTUDISC_WANT, 16]);
    send(&os, &run(3, 100), 100, &at).await.unwrap();
    receive(&os, 4).await;
    assert_eq!(options(), before);
}

#[tokio::test]
async fn a_socket_without_batches_keeps_no_room_for_them() {
    let (os, at) = bound();
    send(&os, &run(3, 100), 100, &at).await.unwrap();
    for _ in 0..4 {
        let mut bytes = [0; 200];
        let mut buf = tokio::io::ReadBuf::new(&mut bytes);
        let _ = poll_fn(|cx| os.poll_recv(cx, &mut buf)).await.unwrap();
    }
    assert!(!os.merges());
    assert_eq!(
        offload::get_int(os.socket(), libc::SOL_UDP, libc::UDP_GRO).unwrap(),
        0
    );
}
