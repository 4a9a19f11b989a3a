//! Sending through the shared socket, and sessions under load.

use super::*;

#[tokio::test]
async fn all_who_wait_for_room_are_served() {
    let wire = Wire::new();
    let mut listener = listen(&wire, SessionLimits::default());
    wire.full.store(true, SeqCst);
    let mut tasks = tokio::task::JoinSet::new();
    let waiting = Arc::new(AtomicUsize::new(0));
    for i in 0..20 {
        wire.from(&format!("peer{i}"), "x");
        let mut session = accept(&mut listener).await;
        let waiting = Arc::clone(&waiting);
        tasks.spawn(async move {
            let mut first = true;
            poll_fn(|cx| {
                let sent = session.poll_send(cx, &[IoSlice::new(b"y")]);
                if std::mem::take(&mut first) {
                    assert!(sent.is_pending());
                    waiting.fetch_add(1, SeqCst);
                }
                sent
            })
            .await
        });
    }
    until(|| waiting.load(SeqCst) == 20).await;
    wire.full.store(false, SeqCst);
    wire.room.notify_waiters();
    let all = tokio::time::timeout(Duration::from_secs(10), tasks.join_all()).await;
    assert!(all.unwrap().into_iter().all(|sent| sent.unwrap() == 1));
    assert_eq!(wire.sent().len(), 20);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_room_is_told_when_the_session_ends() {
    let wire = Wire::new();
    let limits = SessionLimits {
        idle: Duration::from_millis(6400),
        ..SessionLimits::default()
    };
    let mut listener = listen(&wire, limits);
    wire.from("ann", "x");
    let mut ann = accept(&mut listener).await;
    wire.full.store(true, SeqCst);
    let began = tokio::time::Instant::now();
    let error = in_time(send(&mut ann, "y")).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    assert!(began.elapsed() < Duration::from_secs(7), "at once");
}

#[tokio::test]
async fn too_long_is_refused_with_both_numbers_and_finished_is_finished() {
    let wire = Wire::new();
    let mut listener = listen(&wire, SessionLimits::default());
    wire.from("ann", "x");
    let mut ann = accept(&mut listener).await;
    let error = send(&mut ann, &"x".repeat(100_001)).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    let words = error.to_string();
    assert!(
        words.contains("100001") && words.contains("100000"),
        "{words}"
    );

    poll_fn(|cx| ann.poll_finish(cx)).await.unwrap();
    poll_fn(|cx| ann.poll_finish(cx)).await.unwrap();
    let error = send(&mut ann, "y").await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    assert_eq!(wire.sent(), []);
    assert_eq!(recv_text(&mut ann).await, "x", "receiving goes on");
}

#[test]
fn when_the_runtime_goes_nobody_waits_for_ever() {
    let wire = Wire::new();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (mut listener, mut ann) = runtime.block_on(async {
        let mut listener = listen(&wire, SessionLimits::default());
        wire.from("ann", "x");
        let ann = accept(&mut listener).await;
        (listener, ann)
    });
    drop(runtime);
    let other = tokio::runtime::Runtime::new().unwrap();
    other.block_on(async {
        assert_eq!(recv_text(&mut ann).await, "x");
        assert_eq!(recv(&mut ann).await.0, Received::End);
        let error = in_time(listener.accept()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sessions_that_come_and_go_under_load_lock_nobody_out() {
    let wire = Wire::new();
    let limits = SessionLimits {
        max_peers: 20,
        queue: 4,
        ..SessionLimits::default()
    };
    let mut listener = listen(&wire, limits);
    let flood = tokio::spawn({
        let wire = Arc::clone(&wire);
        async move {
            for i in 0..20_000 {
                wire.from(&format!("peer{}", i % 50), "x");
                if i % 100 == 0 {
                    until(|| wire.arriving.lock().unwrap().len() < 100).await;
                }
            }
        }
    });
    let mut talks = tokio::task::JoinSet::new();
    while !flood.is_finished() {
        let Ok(accepted) =
            tokio::time::timeout(Duration::from_millis(100), listener.accept()).await
        else {
            continue;
        };
        let (mut receiver, mut sender) = accepted.unwrap().split();
        talks.spawn(async move {
            assert_eq!(recv_text(&mut receiver).await, "x");
            drop(receiver);
            send(&mut sender, "y").await.unwrap();
        });
    }
    flood.await.unwrap();
    drop(listener);
    while let Some(talk) = talks.join_next().await {
        talk.unwrap();
    }
    assert!(wire.sent().len() > 20, "many more than fit at once");
    until(|| Arc::strong_count(&wire) == 1).await;
}
