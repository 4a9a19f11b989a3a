//! Peers and datagrams within the limits, and beyond them.

use super::*;

#[tokio::test]
async fn each_peer_gets_a_session_and_its_own_datagrams() {
    let wire = Wire::new();
    let mut listener = listen(&wire, SessionLimits::default());
    for (name, text) in [("ann", "a1"), ("bob", "b1"), ("ann", "a2"), ("ann", "")] {
        wire.from(name, text);
    }
    let mut ann = accept(&mut listener).await;
    let mut bob = accept(&mut listener).await;
    assert_eq!(ann.peer().to_string(), "mem://ann");
    assert_eq!(bob.peer_addr(), &peer("bob"));
    assert_eq!(ann.local(), listener.local());
    assert_eq!(recv_text(&mut bob).await, "b1");
    for text in ["a1", "a2", ""] {
        assert_eq!(recv_text(&mut ann).await, text);
    }
    assert_eq!(send(&mut bob, "hi").await.unwrap(), 2);
    assert_eq!(wire.sent(), [(b"hi".to_vec(), peer("bob"))]);
    assert_eq!(listener.stats(), SessionStats::default());
}

#[tokio::test]
async fn accept_then_talk_over_udp_and_the_address_is_free_afterwards() {
    let server = Udp::bind("127.0.0.1:0").await.unwrap();
    let at = server.address();
    let mut listener = SessionListener::new(server, SessionLimits::default());
    let (one, two) = (
        Udp::bind("127.0.0.1:0").await.unwrap(),
        Udp::bind("127.0.0.1:0").await.unwrap(),
    );
    let mut sessions = Vec::new();
    for client in [&one, &two] {
        send_to(client, b"hello", &at).await.unwrap();
        let session = accept(&mut listener).await;
        assert_eq!(session.peer_addr(), &client.address());
        sessions.push(session);
    }
    drop(listener);
    for (client, session) in [&one, &two].into_iter().zip(&mut sessions) {
        assert_eq!(recv_text(session).await, "hello");
        send_to(client, b"again", &at).await.unwrap();
        assert_eq!(recv_text(session).await, "again");
        send(session, "answer").await.unwrap();
        let mut buf = [0; 16];
        let (len, _, from) = recv_from(client, &mut buf).await.unwrap();
        assert_eq!((&buf[..len], from), (&b"answer"[..], at.clone()));
    }
    drop(sessions);
    let PeerAddr::Ip { address, .. } = at else {
        unreachable!()
    };
    until(|| std::net::UdpSocket::bind(address).is_ok()).await;
}

#[tokio::test]
async fn a_full_table_refuses_the_newcomer_and_keeps_the_others() {
    let wire = Wire::new();
    let limits = SessionLimits {
        max_peers: 2,
        ..SessionLimits::default()
    };
    let mut listener = listen(&wire, limits);
    wire.from("ann", "1");
    wire.from("bob", "1");
    let mut ann = accept(&mut listener).await;
    let bob = accept(&mut listener).await;
    wire.from("eve", "1");
    wire.from("ann", "2");
    assert_eq!(recv_text(&mut ann).await, "1");
    assert_eq!(recv_text(&mut ann).await, "2");
    assert_eq!(listener.stats().refused_peers, 1);

    drop(bob);
    wire.from("eve", "2");
    let mut eve = accept(&mut listener).await;
    assert_eq!(recv_text(&mut eve).await, "2");
}

#[tokio::test]
async fn a_full_backlog_refuses_the_newcomer() {
    let wire = Wire::new();
    let limits = SessionLimits {
        backlog: 1,
        ..SessionLimits::default()
    };
    let mut listener = listen(&wire, limits);
    for name in ["ann", "bob", "ann"] {
        wire.from(name, "x");
    }
    until(|| listener.stats().refused_peers == 1).await;
    let mut ann = accept(&mut listener).await;
    assert_eq!(ann.peer_addr(), &peer("ann"));
    wire.from("bob", "now");
    let mut bob = accept(&mut listener).await;
    assert_eq!(recv_text(&mut bob).await, "now");
    for _ in 0..2 {
        assert_eq!(recv_text(&mut ann).await, "x");
    }
}

#[tokio::test]
async fn a_full_queue_drops_the_newest() {
    let wire = Wire::new();
    let limits = SessionLimits {
        queue: 2,
        ..SessionLimits::default()
    };
    let mut listener = listen(&wire, limits);
    for text in ["1", "2", "3", "4"] {
        wire.from("ann", text);
    }
    until(|| listener.stats().dropped_datagrams == 2).await;
    let mut ann = accept(&mut listener).await;
    assert_eq!(recv_text(&mut ann).await, "1");
    assert_eq!(recv_text(&mut ann).await, "2");
    wire.from("ann", "5");
    assert_eq!(recv_text(&mut ann).await, "5");
}

#[tokio::test]
async fn a_queue_is_bounded_in_bytes_too() {
    let wire = Wire::new();
    let limits = SessionLimits {
        queue_bytes: 5,
        ..SessionLimits::default()
    };
    let mut listener = listen(&wire, limits);
    for text in ["one alone fits", "no", "room"] {
        wire.from("ann", text);
    }
    until(|| listener.stats().dropped_datagrams == 2).await;
    let mut ann = accept(&mut listener).await;
    assert_eq!(recv_text(&mut ann).await, "one alone fits");
    for text in ["four", "1", "2"] {
        wire.from("ann", text);
    }
    until(|| listener.stats().dropped_datagrams == 3).await;
    assert_eq!(recv_text(&mut ann).await, "four");
    assert_eq!(recv_text(&mut ann).await, "1");
}

#[tokio::test]
async fn senders_without_a_name_are_counted_and_make_no_session() {
    let wire = Wire::new();
    let mut listener = listen(&wire, SessionLimits::default());
    wire.arrive(Ok((b"?".to_vec(), Received::Data, PeerAddr::Unnamed)));
    wire.from("ann", "x");
    assert_eq!(accept(&mut listener).await.peer_addr(), &peer("ann"));
    assert_eq!(listener.stats().unnamed, 1);
}

/// What the socket below says of a datagram of 9 bytes.
const HEAD: Received = Received::Cut(Cut {
    room: 4,
    len: Some(9),
});

#[tokio::test]
async fn cut_datagrams_say_so() {
    let wire = Wire::new();
    let mut listener = listen(&wire, SessionLimits::default());
    wire.arrive(Ok((b"head".to_vec(), HEAD, peer("ann"))));
    wire.from("ann", "longer");
    wire.from("ann", "next");
    let mut ann = accept(&mut listener).await;
    assert_eq!(recv(&mut ann).await, (HEAD, b"head".to_vec()));

    let mut nothing = ReadBuf::new(&mut []);
    let received = poll_fn(|cx| ann.poll_recv(cx, &mut nothing)).await;
    assert_eq!(received.unwrap(), Received::Data, "and nothing is lost");
    let mut short = [0; 4];
    let mut buf = ReadBuf::new(&mut short);
    let received = poll_fn(|cx| ann.poll_recv(cx, &mut buf)).await;
    let sizes = Cut {
        room: 4,
        len: Some(6),
    };
    assert_eq!(received.unwrap(), Received::Cut(sizes));
    assert_eq!(buf.filled(), b"long");
    assert_eq!(recv_text(&mut ann).await, "next");
}

#[tokio::test]
async fn a_batch_takes_all_that_is_queued_large_ones_too() {
    let wire = Wire::new();
    let mut listener = listen(&wire, SessionLimits::default());
    let large = "x".repeat(90_000);
    wire.from("ann", "small");
    wire.from("ann", &large);
    wire.arrive(Ok((b"head".to_vec(), HEAD, peer("ann"))));
    wire.from("bob", "last");
    let mut ann = accept(&mut listener).await;
    drop(accept(&mut listener).await);
    let mut batch = Batch::new();
    let received = poll_fn(|cx| ann.poll_recv_batch(cx, &mut batch)).await;
    assert_eq!(received.unwrap(), Received::Data);
    let got: Vec<_> = batch.iter().map(|d| (d.bytes.len(), d.cut)).collect();
    assert_eq!(got, [(5, None), (90_000, None), (4, HEAD.cut())]);
}
