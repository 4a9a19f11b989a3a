//! Both ends are ours: messages, URLs, handshakes, ends.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use socketry_transport::{
    BoxListener, BoxSocket, Cut, Deadlines, ErrorKind, Half, Listener, Received, RecvExt, Registry,
    SendExt, Socket, close,
};
use socketry_ws::{CloseCode, Ws, WsError, WsInfo};

fn registry(ws: &Ws) -> Registry {
    ws.register(Registry::standard()).unwrap()
}

async fn listen(query: &str) -> BoxListener {
    let url = format!("ws://127.0.0.1:0{query}");
    let ws = Ws::new().keep_headers(["host", "X-mine"]);
    registry(&ws).listen(url.as_str()).await.unwrap()
}

/// The URL of a listener with another path and query.
fn at(listener: &BoxListener, rest: &str) -> String {
    let port = listener.local().port().unwrap();
    format!("ws://127.0.0.1:{port}{rest}")
}

async fn pair(listener: &mut BoxListener, ws: &Ws, rest: &str) -> (BoxSocket, BoxSocket) {
    let registry = registry(ws);
    let url = at(listener, rest);
    let (client, server) = tokio::join!(registry.connect(url), listener.accept());
    (client.unwrap(), server.unwrap())
}

async fn receive(socket: &mut BoxSocket) -> Vec<u8> {
    let mut buf = vec![0; 1 << 20];
    let (len, received) = socket.recv(&mut buf).await.unwrap();
    assert_eq!(received, Received::Data);
    buf.truncate(len);
    buf
}

fn ws_error(error: &std::io::Error) -> &WsError {
    error.get_ref().unwrap().downcast_ref().unwrap()
}

#[tokio::test]
async fn messages_of_all_lengths_keep_their_boundaries_both_ways() {
    let mut listener = listen("").await;
    let (mut client, mut server) = pair(&mut listener, &Ws::new(), "/").await;
    for len in [0, 1, 125, 126, 127, 65_535, 65_536, 100_000, 1 << 20] {
        let bytes: Vec<u8> = (0..=250).cycle().take(len).collect();
        let (sent, got) = tokio::join!(client.send_all(&bytes), receive(&mut server));
        sent.unwrap();
        assert_eq!(got, bytes, "{len} to the server");
        let (sent, got) = tokio::join!(server.send_all(&bytes), receive(&mut client));
        sent.unwrap();
        assert_eq!(got, bytes, "{len} to the client");
    }
}

#[tokio::test]
async fn path_and_query_are_the_requests_own_and_options_are_not() {
    let mut listener = listen("").await;
    let rest = "/a%2Fb/%20?room=x%20y&quiet&nodelay=true&max_message=1MiB&e=%3D";
    let ws = Ws::new().header("X-Mine", "1").header("X-Other", "2");
    let (client, server) = pair(&mut listener, &ws, rest).await;
    let info = server.info().get::<WsInfo>().unwrap();
    assert_eq!(info.target, "/a%2Fb/%20?room=x%20y&quiet&e=%3D");
    assert_eq!(info.header("x-mine"), Some("1"));
    assert_eq!(info.header("x-other"), None, "nobody asked for it");
    let port = listener.local().port().unwrap();
    assert_eq!(info.header("host"), Some(&*format!("127.0.0.1:{port}")));
    assert_eq!(client.info().get::<WsInfo>().unwrap().target, info.target);
    assert_eq!(client.peer().to_string(), at(&listener, "/a%2Fb/%20"));
}

#[tokio::test]
async fn deadlines_over_it_take_their_own_options() {
    let mut listener = listen("").await;
    let registry = registry(&Ws::new());
    let registry = registry.layer("ws", Deadlines::default()).unwrap();
    let to = at(&listener, "/?send_within=5s&room=1");
    let (client, server) = tokio::join!(registry.connect(to), listener.accept());
    client.unwrap();
    let server = server.unwrap();
    assert_eq!(server.info().get::<WsInfo>().unwrap().target, "/?room=1");
}

#[tokio::test]
async fn a_listener_with_a_path_serves_that_path_alone() {
    let mut listener = listen("/only").await;
    assert_eq!(listener.local().to_string(), at(&listener, "/only"));
    let (registry, other) = (registry(&Ws::new()), at(&listener, "/other"));
    let error = tokio::select! {
        accepted = listener.accept() => panic!("accepted {accepted:?}"),
        refused = registry.connect(other) => refused.unwrap_err(),
    };
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains("404"), "{error}");
    let (client, server) = pair(&mut listener, &Ws::new(), "/only?q").await;
    assert_eq!(client.peer(), server.local());
    assert_eq!(server.local(), listener.local());
}

#[tokio::test]
async fn the_first_subprotocol_of_the_server_that_the_client_offers_is_taken() {
    let mut listener = listen("?protocol=b,a").await;
    let (client, server) = pair(&mut listener, &Ws::new(), "/?protocol=a,c,b").await;
    for socket in [&client, &server] {
        let info = socket.info().get::<WsInfo>().unwrap();
        assert_eq!(info.protocol.as_deref(), Some("b"));
    }
}

#[tokio::test]
async fn a_mismatch_of_subprotocols_is_refused_in_words() {
    let mut listener = listen("?protocol=mqtt").await;
    let without = listen("").await;
    let tests = [
        (
            at(&listener, "/?protocol=chat"),
            "the client offers chat, the server mqtt",
        ),
        (
            at(&listener, "/"),
            "the client offers none, the server mqtt",
        ),
        (
            at(&without, "/?protocol=chat"),
            "none of our subprotocols (chat)",
        ),
    ];
    let mut without = without;
    let accepting = async { tokio::join!(listener.accept(), without.accept()) };
    let asking = async {
        for (url, words) in tests {
            let error = registry(&Ws::new()).connect(url).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol);
            assert!(error.to_string().contains(words), "{error}");
        }
    };
    tokio::select! { _ = accepting => panic!("accepted"), () = asking => {} }
}

#[tokio::test]
async fn options_that_make_no_sense_are_refused_before_anything_is_sent() {
    let registry = registry(&Ws::new());
    for (url, words) in [
        (
            "ws://127.0.0.1:1/?protocol=a%20b",
            "no name of a subprotocol",
        ),
        ("ws://127.0.0.1:1/?protocol=", "has no value"),
        ("ws://127.0.0.1:1/?max_message=0", "at least 1 byte"),
        ("ws://127.0.0.1:1/?ping=0s", "above 0"),
        ("ws://127.0.0.1:1/?pong=0s", "above 0"),
        ("ws://127.0.0.1:1/?text=yes", "'true' or 'false'"),
        ("ws://127.0.0.1:1/a?path=/b", "URLs without a host"),
        (
            "ws://127.0.0.1:1/?origin=a%0D%0Ab",
            "does not fit into a line",
        ),
        ("ws://me:secret@127.0.0.1:1/", "no user"),
        ("ws+unix:///nowhere?path=/a%20b", "no blanks"),
    ] {
        let error = registry.connect(url).await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
    let error = registry
        .listen("ws://127.0.0.1:0/?room=1")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("no option 'room'"), "{error}");
}

#[tokio::test]
async fn a_finish_is_an_end_that_the_peer_answers_by_itself() {
    let mut listener = listen("").await;
    let (mut client, mut server) = pair(&mut listener, &Ws::new(), "/").await;
    server.send_all(b"before").await.unwrap();
    client.finish().await.unwrap();
    client.finish().await.unwrap();
    let error = client.send_all(b"late").await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    let mut buf = [0; 8];
    for _ in 0..2 {
        assert_eq!(server.recv(&mut buf).await.unwrap(), (0, Received::End));
    }
    // What was sent before the answer arrives.
    assert_eq!(receive(&mut client).await, b"before");
    assert_eq!(client.recv(&mut buf).await.unwrap(), (0, Received::End));
    let error = server.send_all(b"late").await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    server.finish().await.unwrap();
}

#[tokio::test]
async fn a_socket_that_is_dropped_looks_different_from_one_that_finished() {
    let mut listener = listen("").await;
    let (client, mut server) = pair(&mut listener, &Ws::new(), "/").await;
    drop(client);
    for _ in 0..2 {
        let error = server.recv(&mut [0; 8]).await.unwrap_err();
        assert_eq!(ws_error(&error).code(), Some(CloseCode::ABNORMAL));
        assert_eq!(ws_error(&error).kind(), ErrorKind::Reset);
    }
}

#[tokio::test]
async fn a_close_in_order_loses_nothing() {
    let mut listener = listen("").await;
    let (mut client, mut server) = pair(&mut listener, &Ws::new(), "/").await;
    let closing = async {
        client.send_all(&[7; 300_000]).await.unwrap();
        close(client, 1 << 20, Duration::from_secs(5))
            .await
            .unwrap();
    };
    let receiving = async {
        assert_eq!(receive(&mut server).await.len(), 300_000);
        assert_eq!(server.recv(&mut [0; 8]).await.unwrap(), (0, Received::End));
    };
    tokio::join!(closing, receiving);
}

#[tokio::test]
async fn a_message_above_the_bound_is_not_sent_and_one_above_the_peers_is_1009_on_both_ends() {
    let mut listener = listen("?max_message=1000").await;
    let (mut client, mut server) = pair(&mut listener, &Ws::new(), "/?max_message=2000").await;
    let error = client.send_all(&[0; 2001]).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    client.send_all(&[0; 1000]).await.unwrap();
    assert_eq!(receive(&mut server).await.len(), 1000);
    client.send_all(&[0; 1001]).await.unwrap();
    let (mut client_buf, mut server_buf) = ([0; 8], vec![0; 2000]);
    // The client goes on to send meanwhile, as a program does that does not know.
    let (ours, theirs) = tokio::join!(server.recv(&mut server_buf), async {
        let heard = client.recv(&mut client_buf).await;
        drop(client);
        heard
    });
    let (ours, theirs) = (ours.unwrap_err(), theirs.unwrap_err());
    assert_eq!(ws_error(&ours).code(), Some(CloseCode::TOO_LONG));
    assert_eq!(ws_error(&theirs).code(), Some(CloseCode::TOO_LONG));
    assert!(
        ours.to_string()
            .contains("at least 1001 bytes, and 1000 are allowed"),
        "{ours}"
    );
    assert!(theirs.to_string().contains("1009"), "{theirs}");
}

#[tokio::test]
async fn text_is_checked_before_it_is_sent_and_received_like_binary() {
    let mut listener = listen("").await;
    let (mut client, mut server) = pair(&mut listener, &Ws::new(), "/?text=true").await;
    client.send_all("Grüße".as_bytes()).await.unwrap();
    assert_eq!(receive(&mut server).await, "Grüße".as_bytes());
    let error = client.send_all(b"\xff").await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    client.send_all(b"on").await.unwrap();
    assert_eq!(receive(&mut server).await, b"on");
}

#[tokio::test]
async fn a_small_buffer_cuts_a_message_and_not_the_next() {
    let mut listener = listen("").await;
    let (mut client, mut server) = pair(&mut listener, &Ws::new(), "/").await;
    client.send(b"a long one").await.unwrap();
    client.send_all(b"next").await.unwrap();
    let mut buf = [0; 4];
    assert_eq!(
        server.recv(&mut buf).await.unwrap(),
        (
            4,
            Received::Cut(Cut {
                room: 4,
                len: Some(10)
            })
        )
    );
    assert_eq!(&buf, b"a lo");
    assert_eq!(server.recv(&mut []).await.unwrap(), (0, Received::Data));
    assert_eq!(server.recv(&mut buf).await.unwrap(), (4, Received::Data));
    assert_eq!(&buf, b"next");
}

#[tokio::test]
async fn it_runs_over_unix_sockets_with_a_path_of_the_request() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("ws+unix://{}/s", directory.path().display());
    let registry = registry(&Ws::new().keep_headers(["Host"]));
    let listening = format!("{url}?path=/chat&mode=0600");
    let mut listener = registry.listen(listening.as_str()).await.unwrap();
    assert_eq!(listener.local().to_string(), url);
    let asking = format!("{url}?path=/chat&room=1");
    let (client, server) = tokio::join!(registry.connect(asking.as_str()), listener.accept());
    let (mut client, mut server) = (client.unwrap(), server.unwrap());
    let info = server.info().get::<WsInfo>().unwrap();
    assert_eq!(
        (&*info.target, info.header("host")),
        ("/chat?room=1", Some("localhost"))
    );
    assert_eq!(client.peer(), server.local());
    client.send_all(b"hello").await.unwrap();
    assert_eq!(receive(&mut server).await, b"hello");
    let refused = tokio::select! {
        accepted = listener.accept() => panic!("accepted {accepted:?}"),
        refused = registry.connect(url.as_str()) => refused.unwrap_err(),
    };
    assert_eq!(refused.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn halves_in_two_tasks_carry_more_than_all_buffers_hold_both_ways_at_once() {
    const COUNT: usize = 200;
    let mut listener = listen("").await;
    let (client, server) = pair(&mut listener, &Ws::new(), "/").await;
    let mut tasks = Vec::new();
    for socket in [client, server] {
        let (mut recv, mut send) = socket.split();
        tasks.push(tokio::spawn(async move {
            for i in 0..COUNT {
                send.send_all(&vec![u8::try_from(i).unwrap(); 70_000])
                    .await
                    .unwrap();
            }
        }));
        tasks.push(tokio::spawn(async move {
            let mut buf = vec![0; 1 << 20];
            for i in 0..COUNT {
                let (len, received) = recv.recv(&mut buf).await.unwrap();
                assert_eq!((len, received), (70_000, Received::Data));
                assert!(buf[..len].iter().all(|byte| usize::from(*byte) == i));
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
}

/// A pair in this process alone, since a paused clock stands still while tasks wait for the kernel.
async fn pair_of_mem(name: &str, query: &str) -> (BoxSocket, BoxSocket) {
    let registry = registry(&Ws::new());
    let registry = registry.layer_as("ws+mem", "mem", Ws::new()).unwrap();
    let url = format!("ws+mem://{name}?{query}");
    let mut listener = registry.listen(url.as_str()).await.unwrap();
    let at = listener.local().clone();
    let (client, server) = tokio::join!(registry.connect(at), listener.accept());
    (client.unwrap(), server.unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_task_that_waits_to_send_to_a_dead_peer_is_told() {
    let (client, server) = pair_of_mem("dead", "").await;
    let (mut recv, mut send) = client.split();
    let sending = async {
        loop {
            if let Err(error) = send.send_all(&[0; 60_000]).await {
                return error.kind();
            }
        }
    };
    let mut buf = [0; 8];
    let receiving = tokio::time::timeout(Duration::from_secs(3600), recv.recv(&mut buf));
    let (told, heard) = tokio::join!(sending, receiving);
    let heard = heard.expect("it waits for ever").unwrap_err();
    assert_eq!([heard.kind(), told], [std::io::ErrorKind::TimedOut; 2]);
    assert!(send.finish().await.is_err());
    drop(server);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_silent_after_a_close_is_given_up_too() {
    let (mut client, server) = pair_of_mem("closing", "").await;
    client.finish().await.unwrap();
    let begun = tokio::time::Instant::now();
    let hour = Duration::from_secs(3600);
    let mut buf = [0; 8];
    let heard = tokio::time::timeout(hour, client.recv(&mut buf));
    let error = heard.await.expect("it waits for ever").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    assert_eq!(begun.elapsed().as_secs(), 45 + 20);
    drop(server);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_goes_on_sending_after_a_close_is_heard() {
    let (mut client, mut server) = pair_of_mem("talking", "").await;
    client.finish().await.unwrap();
    let talking = async {
        for _ in 0..10 {
            tokio::time::sleep(Duration::from_secs(15)).await;
            server.send_all(b"more").await.unwrap();
        }
        assert_eq!(server.recv(&mut [0; 8]).await.unwrap(), (0, Received::End));
    };
    let hearing = async {
        for _ in 0..10 {
            assert_eq!(receive(&mut client).await, b"more");
        }
        assert_eq!(client.recv(&mut [0; 8]).await.unwrap(), (0, Received::End));
    };
    tokio::join!(talking, hearing);
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_pinged_and_given_up() {
    let (client, mut server) = pair_of_mem("silent", "").await;
    let begun = tokio::time::Instant::now();
    let error = server.recv(&mut [0; 8]).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    assert_eq!(begun.elapsed().as_secs(), 45 + 20);
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_waits_in_a_receive_answers_pings() {
    let (mut client, mut server) = pair_of_mem("answers", "").await;
    let (mut a, mut b) = ([0; 8], [0; 8]);
    let both = async { tokio::join!(client.recv(&mut a), server.recv(&mut b)) };
    let day = Duration::from_secs(86_400);
    assert!(tokio::time::timeout(day, both).await.is_err());
    client.send_all(b"alive").await.unwrap();
    assert_eq!(receive(&mut server).await, b"alive");
}
